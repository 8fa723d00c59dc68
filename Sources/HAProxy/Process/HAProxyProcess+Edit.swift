package import Remote

extension HAProxyProcess {
  /// Changes lines of the file, then the running process, in one script.
  ///
  /// The new content is built beside the file, must be the planned one, passes `haproxy -c` with
  /// everything the process was started with, is synced, and takes the file's place by a rename;
  /// owner, mode and a symlink to it stay. A file that is already as wished is left alone.
  ///
  /// - Parameters:
  ///   - from: SHA-256 of the whole file before, `to`: after. Refused where the file is neither.
  ///   - edits: none where only the process is to change.
  package func edit(
    _ edits: [LineEdit],
    from: String,
    to: String,
    validation: Validation,
    runtime: [RuntimeChange]
  ) -> RemoteCommand {
    let waiting = runtime.reduce(Duration.zero) { sum, change in
      if case .ready(_, let deadline) = change { sum + deadline } else { sum }
    }
    var parts = [fileEdit(edits, from: from, to: to, validation: validation)]
    if !runtime.isEmpty { parts += [stats, order, field] + runtime.map(lines) }
    return RemoteCommand(parts.joined(separator: "\n"), timeout: timeout + waiting)
  }

  /// Takes edits of this tool back, whatever else was changed in the file since: each line that is
  /// exactly what an edit left becomes what it was before. Then the running process.
  ///
  /// The line is looked for where the edit was made, and elsewhere only where just one of the two
  /// texts is in the file, once: another backend may hold the very same server line. Refused, with
  /// nothing done, where that does not tell, or where the result would not be valid.
  package func takeBack(_ edits: [LineEdit], runtime: [RuntimeChange]) -> RemoteCommand {
    let waiting = runtime.reduce(Duration.zero) { sum, change in
      if case .ready(_, let deadline) = change { sum + deadline } else { sum }
    }
    var parts: [String] = edits.isEmpty ? [] : [fileRestoration(edits)]
    if !runtime.isEmpty { parts += [stats, order, field] + runtime.map(lines) }
    return RemoteCommand(parts.joined(separator: "\n"), timeout: timeout + waiting)
  }

  /// Whether the file as it is passes `haproxy -c`.
  package func checkAsItIs() -> RemoteCommand {
    RemoteCommand(
      """
      \(checking)
      check \(ShellWord.quoting(configuration)) || { echo "$said" >&2; exit \
      \(HAProxyFailure.invalidConfiguration.rawValue); }
      """,
      timeout: timeout
    )
  }

  /// Passes every content of a chain of edits through `haproxy -c`, in a folder of its own.
  ///
  /// Contents that differ from the one before only in lines that are comments in both are not
  /// checked again: HAProxy reads the same words. As many are checked at once as there are cores.
  package func validate(_ chain: [[LineEdit]]) -> RemoteCommand {
    let contents = chain.enumerated().map { index, edits in
      "{ \(building(edits, from: "$folder/\(index)")) } >\"$folder/\(index + 1)\""
    }
    let checked = chain.indices.filter { index in
      chain[index].contains { !($0.before.isComment && $0.after.isComment) }
    }.map { String($0 + 1) }.joined(separator: " ")
    return RemoteCommand(
      """
      export LC_ALL=C
      folder=$(mktemp -d) || exit \(HAProxyFailure.cannotWrite.rawValue)
      trap 'rm -rf "$folder"' EXIT
      cp \(ShellWord.quoting(configuration)) "$folder/0"
      \(contents.joined(separator: "\n"))
      \(checking)
      try() {
        if check "$folder/$1"; then : >"$folder/$1.valid"; else echo "$said" >"$folder/$1.said"; fi
      }
      cores=$(nproc) begun=0
      for content in \(checked); do
        try $content &
        begun=$((begun + 1))
        [ $((begun % cores)) != 0 ] || wait
      done
      wait
      for content in \(checked); do
        [ -e "$folder/$content.valid" ] || {
          echo "after edit $content:" >&2
          cat "$folder/$content.said" >&2
          exit \(HAProxyFailure.invalidConfiguration.rawValue)
        }
      done
      """,
      timeout: timeout + .seconds(2 * chain.count)
    )
  }
}

extension HAProxyProcess {
  private func fileRestoration(_ edits: [LineEdit]) -> String {
    let record = ShellWord.quoting(Self.record(of: configuration))
    let calls = edits.reversed().map { edit in
      "restore \(edit.line) \(edit.after.argument) \(edit.before.argument)"
    }
    return """
      export LC_ALL=C
      file=\(ShellWord.quoting(configuration))
      digest() { sha256sum <"$1" | cut -c1-64; }
      count() { grep -cxF -e "$1" "$new"; }
      restore() {
        here=$(sed -n "$1p" "$new")
        [ "$here" != "$3" ] || return 0
        at=$1
        if [ "$here" != "$2" ]; then
          case "$(count "$2") $(count "$3")" in
            '1 0') at=$(grep -nxF -e "$2" "$new" | cut -d: -f1) ;;
            '0 1') return 0 ;;
            *)
              echo "it is not clear which line this is now: $2" >&2
              exit \(HAProxyFailure.fileChanged.rawValue)
              ;;
          esac
        fi
        { [ "$at" = 1 ] || head -n $((at - 1)) "$new"; printf '%s\\n' "$3"
          tail -n +$((at + 1)) "$new"; } >"$new.part" && cat "$new.part" >"$new" ||
          exit \(HAProxyFailure.cannotWrite.rawValue)
      }
      \(checking)
      now=$(digest "$file")
      new=$(dirname "$file")/.$(basename "$file").duplexctl
      trap 'rm -f "$new" "$new.part"' EXIT
      cp -p "$file" "$new" || exit \(HAProxyFailure.cannotWrite.rawValue)
      \(calls.joined(separator: "\n"))
      if [ "$(digest "$new")" != "$now" ]; then
        check "$new" || { echo "$said" >&2; exit \(HAProxyFailure.invalidConfiguration.rawValue); }
        sync "$new" || exit \(HAProxyFailure.cannotWrite.rawValue)
        [ "$(digest "$file")" = "$now" ] || exit \(HAProxyFailure.fileChanged.rawValue)
        # What others wrote and nobody loaded stays known as theirs.
        [ "$(cat \(record) 2>/dev/null)" != "$now" ] || digest "$new" >\(record)
        mv -f "$new" "$file" || exit \(HAProxyFailure.cannotWrite.rawValue)
      fi
      """
  }

  private func fileEdit(
    _ edits: [LineEdit],
    from: String,
    to: String,
    validation: Validation
  ) -> String {
    let record = ShellWord.quoting(Self.record(of: configuration))
    let changed = "exit \(HAProxyFailure.fileChanged.rawValue)"
    let opening = """
      export LC_ALL=C
      file=\(ShellWord.quoting(configuration))
      digest() { sha256sum <"$1" | cut -c1-64; }
      now=$(digest "$file")
      """
    guard !edits.isEmpty else {
      return opening + "\n[ \"$now\" = \(to) ] || \(changed)"
    }
    let check =
      validation == .now
      ? """

        \(checking)
        check "$new" || { echo "$said" >&2; exit \(HAProxyFailure.invalidConfiguration.rawValue); }
      """ : ""
    return """
      \(opening)
      if [ "$now" != \(to) ]; then
        [ "$now" = \(from) ] || \(changed)
        new=$(dirname "$file")/.$(basename "$file").duplexctl
        trap 'rm -f "$new"' EXIT
        cp -p "$file" "$new" && { \(building(edits, from: "$file")) } >"$new" ||
          exit \(HAProxyFailure.cannotWrite.rawValue)
        [ "$(digest "$new")" = \(to) ] || exit \(HAProxyFailure.wrongResult.rawValue)\(check)
        sync "$new" || exit \(HAProxyFailure.cannotWrite.rawValue)
        [ "$(digest "$file")" = \(from) ] || \(changed)
        mkdir -p /var/lib/duplexctl && echo \(to) >\(record) && mv -f "$new" "$file" ||
          exit \(HAProxyFailure.cannotWrite.rawValue)
      fi
      """
  }

  /// Commands that print the content with the edits made; every other byte passes as it is.
  private func building(_ edits: [LineEdit], from file: String) -> String {
    var parts: [String] = []
    var next = 1
    for edit in edits.sorted(by: { $0.line < $1.line }) {
      if edit.line > next { parts.append("sed -n '\(next),\(edit.line - 1)p' \"\(file)\"") }
      parts.append(edit.after.printing)
      next = edit.line + 1
    }
    parts.append("sed -n '\(next),$p' \"\(file)\"")
    return parts.joined(separator: "; ") + ";"
  }

  /// `check FILE`: would the process start with FILE in the place of its configuration, in its own
  /// environment and folder? What it complains of is in `$said`: not with `-q`, which keeps the
  /// complaints to itself too.
  ///
  /// What a master sets for the process that it becomes by a reload is left out: with it, `-c` would
  /// take itself for that process.
  private var checking: String {
    var arguments: [String] = []
    var folders = ""
    var cleanup = ""
    for (index, source) in sources.enumerated() {
      if source.isFolder, configuration.hasPrefix(source.path + "/") {
        let name = ShellWord.quoting(String(configuration.dropFirst(source.path.count + 1)))
        folders += """
          parts\(index)=$(mktemp -d)
          cp \(ShellWord.quoting(source.path))/*.cfg "$parts\(index)"
          cp "$1" "$parts\(index)"/\(name)

          """
        arguments.append("-f \"$parts\(index)\"")
        cleanup += "rm -rf \"$parts\(index)\"; "
      } else {
        let isEdited = source.path == configuration
        arguments.append("-f \(isEdited ? "\"$1\"" : ShellWord.quoting(source.path))")
      }
    }
    let checks = arguments.joined(separator: " ")
    return """
      check() {
        \(folders)said=$(cd /proc/\(masterPID)/cwd 2>/dev/null
          { environment; printf '%s\\0' \(ShellWord.quoting(executable)) -c \(checks); } |
          xargs -0 -x -n 100000 env -i 2>&1)
        status=$?; \(cleanup)return $status
      }
      environment() {
        grep -zvE '^(HAPROXY_(MWORKER|PROCESSES|LOAD_SUCCESS|INITIALIZED)|NOTIFY_SOCKET|LISTEN_)' \
          /proc/\(masterPID)/environ 2>/dev/null
      }
      """
  }
}

extension [UInt8] {
  /// One word of a script that stands for the line, byte for byte.
  fileprivate var argument: String {
    if let text = String(validating: self, as: UTF8.self), !contains(0) {
      return ShellWord.quoting(text)
    }
    return "\"$(printf '\(octal)')\""
  }

  /// A command that prints the line and an LF, byte for byte.
  fileprivate var printing: String {
    if let text = String(validating: self, as: UTF8.self), !contains(0) {
      return "printf '%s\\n' \(ShellWord.quoting(text))"
    }
    return "printf '\(octal)\\n'"
  }

  private var octal: String {
    map { "\\" + String(String(0o1000 + Int($0), radix: 8).dropFirst()) }.joined()
  }

  /// HAProxy reads nothing of the line.
  fileprivate var isComment: Bool {
    first { !$0.isBlank } == UInt8(ascii: "#")
  }
}
