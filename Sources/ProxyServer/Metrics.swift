import CLinux
import Duplex

extension Server {
  func metricsResponse(_ report: Report) -> AdminResponse {
    var page = MetricsPage()
    addRoutes(report, to: &page)
    addShadows(report, to: &page)
    addProcess(to: &page)
    return AdminResponse(
      status: 200,
      body: page.text,
      contentType: "text/plain; version=0.0.4; charset=utf-8"
    )
  }

  private func addRoutes(_ report: Report, to page: inout MetricsPage) {
    let counters = zip(currentRoutes, report.routes).map {
      (route: $0.address.description, value: $1)
    }
    page.open("duplex_connections_total", .counter, "Client connections accepted.")
    for each in counters {
      page.sample("duplex_connections_total", ["route": each.route], each.value.connections)
    }
    page.open("duplex_connections_open", .gauge, "Client connections being relayed.")
    for each in counters {
      page.sample("duplex_connections_open", ["route": each.route], each.value.open)
    }
    page.open(
      "duplex_refused_total",
      .counter,
      "Connections from elsewhere than --allow says, closed at once."
    )
    for each in counters {
      page.sample("duplex_refused_total", ["route": each.route], each.value.refused)
    }
    page.open("duplex_bytes_total", .counter, "Bytes received for the other side.")
    for each in counters {
      page.sample(
        "duplex_bytes_total",
        ["route": each.route, "direction": "client_to_primary"],
        each.value.bytesToPrimary
      )
      page.sample(
        "duplex_bytes_total",
        ["route": each.route, "direction": "primary_to_client"],
        each.value.bytesToClient
      )
    }
    page.open(
      "duplex_primary_connect_failures_total",
      .counter,
      "Connections to the primary that failed; the client was reset."
    )
    for each in counters {
      page.sample(
        "duplex_primary_connect_failures_total",
        ["route": each.route],
        each.value.primaryConnectFailures
      )
    }
    page.open("duplex_accept_failures_total", .counter, "Times accepting had to rest.")
    for (reason, count) in report.acceptFailures.sorted(by: { $0.key < $1.key }) {
      page.sample("duplex_accept_failures_total", ["reason": reason], count)
    }
  }

  private func addShadows(_ report: Report, to page: inout MetricsPage) {
    add(report, to: &page, "duplex_shadow_connections_total", .counter, "Connections begun.") {
      $0.connections
    }
    add(report, to: &page, "duplex_shadow_connections_open", .gauge, "Connections open now.") {
      $0.open
    }
    add(report, to: &page, "duplex_shadow_bytes_total", .counter, "Copied bytes taken.") {
      $0.bytes
    }
    add(
      report,
      to: &page,
      "duplex_shadow_answer_bytes_total",
      .counter,
      "Bytes answered and thrown away."
    ) { $0.answerBytes }
    page.open(
      "duplex_shadow_drops_total",
      .counter,
      "Connections whose shadow was given up, by reason."
    )
    for (route, counted) in zip(currentRoutes, report.routes) {
      for (index, shadow) in route.route.shadows.enumerated() {
        let counters = counted.total(ofShadow: index)
        for reason in ShadowDrop.allCases {
          page.sample(
            "duplex_shadow_drops_total",
            [
              "route": route.address.description, "shadow": shadow.description,
              "reason": reason.rawValue,
            ],
            counters.drops[reason] ?? 0
          )
        }
      }
    }
    addCopying(report, to: &page)
    page.open("duplex_shadow_queue_bytes", .gauge, "Bytes queued for all shadows.")
    page.sample("duplex_shadow_queue_bytes", report.queued)
  }

  private func add(
    _ report: Report,
    to page: inout MetricsPage,
    _ name: String,
    _ kind: MetricsPage.Kind,
    _ help: String,
    _ value: (ShadowCounters) -> Int
  ) {
    page.open(name, kind, help)
    for (route, counted) in zip(currentRoutes, report.routes) {
      for (index, shadow) in route.route.shadows.enumerated() {
        page.sample(
          name,
          ["route": route.address.description, "shadow": shadow.description],
          value(counted.total(ofShadow: index))
        )
      }
    }
  }

  private func addProcess(to page: inout MetricsPage) {
    page.open("process_start_time_seconds", .gauge, "Start of the process since the epoch.")
    page.sample("process_start_time_seconds", Int(startTime))
    page.open("process_resident_memory_bytes", .gauge, "Resident memory.")
    page.sample("process_resident_memory_bytes", Int(clinux_resident_bytes()))
    page.open("process_open_fds", .gauge, "Open descriptors.")
    let seen = Int(clinux_open_descriptors_at_once())
    page.sample("process_open_fds", seen < 0 ? share.descriptors.current : seen)
    addSupervision(to: &page)
    page.open("duplex_build_info", .gauge, "This build.")
    page.sample("duplex_build_info", ["version": Version.text], 1)
  }

  private func addSupervision(to page: inout MetricsPage) {
    page.open("duplex_worker_restarts_total", .counter, "Workers started because one had died.")
    page.sample("duplex_worker_restarts_total", supervision.counters.restarts)
    page.open("duplex_upgrades_total", .counter, "Executables that replaced the one before.")
    page.sample("duplex_upgrades_total", supervision.counters.upgrades)
    page.open("duplex_reloads_total", .counter, "Configurations taken on while running.")
    page.sample("duplex_reloads_total", supervision.counters.reloads)
  }
}
