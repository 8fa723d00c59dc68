#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop_was_noted = 0;

static void note_stop(int number) {
  (void)number;
  stop_was_noted = 1;
}

int clinux_give_way(void) {
  struct sched_param none = {.sched_priority = 0};
  return sched_setscheduler(0, SCHED_IDLE, &none) < 0 ? -errno : 0;
}

void clinux_note_stop_signals(void) {
  struct sigaction note = {.sa_handler = note_stop};
  sigaction(SIGINT, &note, NULL);
  sigaction(SIGTERM, &note, NULL);
  sigaction(SIGHUP, &note, NULL);
}

int clinux_stop_noted(void) { return stop_was_noted; }

int64_t clinux_allow_descriptors(int64_t count) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
  if (limit.rlim_cur < (rlim_t)count) {
    struct rlimit raised = {.rlim_cur = (rlim_t)count, .rlim_max = limit.rlim_max};
    if (raised.rlim_max < raised.rlim_cur) raised.rlim_max = raised.rlim_cur;
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return clinux_raise_descriptor_limit();
}

int clinux_pin(pid_t process, uint64_t processors) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int number = 0; number < 64; number += 1)
    if (processors >> number & 1) CPU_SET(number, &set);
  return sched_setaffinity(process, sizeof set, &set) < 0 ? -errno : 0;
}

uint64_t clinux_processors(void) {
  cpu_set_t set;
  uint64_t processors = 0;
  if (sched_getaffinity(0, sizeof set, &set) < 0) return 0;
  for (int number = 0; number < 64; number += 1)
    if (CPU_ISSET(number, &set)) processors |= 1ull << number;
  return processors;
}

int64_t clinux_cpu_nanoseconds(pid_t process) {
  clockid_t clock;
  struct timespec time;
  int error = clock_getcpuclockid(process, &clock);
  if (error != 0) return -error;
  if (clock_gettime(clock, &time) < 0) return -errno;
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

pid_t clinux_spawn(char *const argv[], int output, uint64_t processors) {
  pid_t parent = getpid();
  pid_t child = fork();
  if (child < 0) return -errno;
  if (child > 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);
  setpgid(0, 0);
  clinux_pin(0, processors);
  int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, 0);
  dup2(output, 1);
  dup2(output, 2);
  execv(argv[0], argv);
  _exit(127);
}

int clinux_epoll_wait_nanoseconds(
    int epoll, struct epoll_event *events, int count, int64_t nanoseconds) {
  struct timespec limit = {
      .tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
  int ready = epoll_pwait2(epoll, events, count, &limit, NULL);
  if (ready < 0) return errno == EINTR ? 0 : -errno;
  return ready;
}

void clinux_wake_punctually(void) { prctl(PR_SET_TIMERSLACK, 1); }
