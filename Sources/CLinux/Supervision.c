#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { descriptors_a_message = 200 };

int clinux_signal_descriptor(void) {
  struct sigaction ignore = {.sa_handler = SIG_IGN};
  if (sigaction(SIGPIPE, &ignore, NULL) < 0) return -errno;
  // A starter may have had it ignored, and then children leave no status.
  struct sigaction usual = {.sa_handler = SIG_DFL};
  if (sigaction(SIGCHLD, &usual, NULL) < 0) return -errno;
  sigset_t set;
  sigemptyset(&set);
  const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGCHLD};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i += 1) sigaddset(&set, numbers[i]);
  int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (error != 0) return -error;
  int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

int clinux_next_signal(int fd) {
  struct signalfd_siginfo signal;
  ssize_t count = read(fd, &signal, sizeof signal);
  return count < 0 ? -errno : (int)signal.ssi_signo;
}

int clinux_message_pair(int pair[2]) {
  return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ? -errno : 0;
}

pid_t clinux_start_child(const char *path, char *const arguments[], char *const environment[], int own_group, int handed) {
  posix_spawnattr_t attributes;
  int error = posix_spawnattr_init(&attributes);
  if (error != 0) return -error;
  posix_spawn_file_actions_t actions;
  error = posix_spawn_file_actions_init(&actions);
  if (error != 0) {
    posix_spawnattr_destroy(&attributes);
    return -error;
  }
  // Its group is 0: one of its own.
  if (own_group) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  // Also clears close-on-exec where it is 3 already.
  if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, handed, 3);
  // What our own starter left open is not the child's business.
  if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(&actions, 4);
  pid_t pid = 0;
  if (error == 0) error = posix_spawn(&pid, path, &actions, &attributes, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error == 0 ? pid : -error;
}

pid_t clinux_ended_child(void) {
  siginfo_t child = {.si_pid = 0};
  return waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) < 0 ? -errno : child.si_pid;
}

typedef union {
  struct cmsghdr header;
  char space[CMSG_SPACE(sizeof(int) * descriptors_a_message)];
} control;

ssize_t clinux_send_descriptors(int socket, const void *bytes, size_t size, const int *descriptors, size_t count) {
  if (count > descriptors_a_message) return -E2BIG;
  struct iovec vector = {.iov_base = (void *)bytes, .iov_len = size};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
  control space;
  memset(&space, 0, sizeof space);
  if (count > 0) {
    message.msg_control = &space;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(header), descriptors, sizeof(int) * count);
  }
  ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? -errno : sent;
}

ssize_t clinux_receive_descriptors(int socket, void *bytes, size_t size, int *descriptors, size_t *count) {
  struct iovec vector = {.iov_base = bytes, .iov_len = size};
  control space;
  struct msghdr message = {
      .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &space, .msg_controllen = sizeof space};
  size_t room = *count;
  *count = 0;
  ssize_t received;
  do received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (received < 0 && errno == EINTR);
  if (received < 0) return -errno;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t arrived = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < arrived; i += 1) {
      int fd;
      memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      if (*count < room) {
        descriptors[*count] = fd;
        *count += 1;
      } else {
        close(fd);
      }
    }
  }
  return received;
}

int clinux_memory_file(const void *bytes, size_t size) {
  int fd = memfd_create("duplex-proxy", MFD_CLOEXEC);
  if (fd < 0) return -errno;
  size_t written = 0;
  while (written < size) {
    ssize_t count = pwrite(fd, (const char *)bytes + written, size - written, (off_t)written);
    if (count <= 0) {
      int error = count < 0 ? -errno : -EIO;
      close(fd);
      return error;
    }
    written += (size_t)count;
  }
  return fd;
}

void clinux_set_close_on_exec(int fd, int closes) { fcntl(fd, F_SETFD, closes ? FD_CLOEXEC : 0); }

// Only with CAP_SETPCAP; without it, and without new privileges, the bounding set gives nothing anyway.
static void drop_bounding_set(uint64_t kept) {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability += 1)
    if (!(kept >> capability & 1)) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

int clinux_become(uid_t user, gid_t group, const gid_t *groups, size_t count) {
  // Later it could not any more. Root can, and may be left something.
  if (user != 0) drop_bounding_set(0);
  if (setgroups(count, groups) < 0) return -errno;
  if (setresgid(group, group, group) < 0) return -errno;
  if (setresuid(user, user, user) < 0) return -errno;
  return 0;
}

// Debian 12's headers know Landlock's first version; what came later is written out (linux/landlock.h).
struct landlock_rules {
  uint64_t files, network, scope;
};

static int landlock(void) {
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return 1;
  // All there is of access to files: 13 kinds, then renaming (2), truncating (3), ioctl on devices (5).
  struct landlock_rules rules = {.files = (1u << 13) - 1};
  size_t size = sizeof rules.files;
  if (version >= 2) rules.files |= 1u << 13;
  if (version >= 3) rules.files |= 1u << 14;
  if (version >= 5) rules.files |= 1u << 15;
  if (version >= 4) {
    rules.network = 1u << 0;  // binding TCP ports
    size += sizeof rules.network;
  }
  if (version >= 6) {
    rules.scope = 1u << 1;  // signals to processes outside
    size += sizeof rules.scope;
  }
  int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
  if (fd < 0) return -errno;
  int result = syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
  close(fd);
  return result;
}

void clinux_name_process(const char *name) { prctl(PR_SET_NAME, name); }

static int drop_capabilities(uint64_t kept) {
  drop_bounding_set(kept);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {
      {.effective = (uint32_t)kept, .permitted = (uint32_t)kept},
      {.effective = (uint32_t)(kept >> 32), .permitted = (uint32_t)(kept >> 32)},
  };
  return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int clinux_fence(int passes_file_permissions) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -errno;
  bool keeps = passes_file_permissions && geteuid() == 0;
  int result = drop_capabilities(keeps ? (uint64_t)1 << CAP_DAC_OVERRIDE : 0);
  if (result < 0) return result;
  // What metrics look at by name is opened before it can no longer be.
  clinux_resident_bytes();
  clinux_open_descriptors();
  return landlock();
}
