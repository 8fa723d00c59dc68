#define _GNU_SOURCE
#include "CLab.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

// Runs between clone and exec, maybe as a copy of one thread of many: only system calls in here.
static void become(const struct clab_process *p, pid_t parent) {
  // Out of the way of 0 to 4 first, so that no dup2 below overwrites a source.
  int input = p->input < 0 ? open("/dev/null", O_RDONLY) : p->input;
  input = fcntl(input, F_DUPFD, 10);
  int output = fcntl(p->output, F_DUPFD, 10);
  int report = p->report < 0 ? -1 : fcntl(p->report, F_DUPFD, 10);
  int go = p->go < 0 ? -1 : fcntl(p->go, F_DUPFD, 10);
  dup2(input, 0);
  dup2(output, 1);
  dup2(output, 2);
  if (report >= 0) dup2(report, 3); else close(3);
  if (go >= 0) dup2(go, 4); else close(4);
  // Also the writing end of `go`: while we hold it, its end would never be seen.
  syscall(SYS_close_range, 5U, ~0U, 0);

  if (p->detached) {
    setsid();
  } else {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(125);
  }
  if (go >= 0) {
    char byte;
    ssize_t n;
    do n = read(4, &byte, 1); while (n < 0 && errno == EINTR);
    if (n != 1) _exit(125);
    close(4);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  for (int signal_number = 1; signal_number < 32; signal_number++) signal(signal_number, SIG_DFL);
  execve(p->path, p->arguments, p->environment);
  _exit(127);
}

pid_t clab_spawn(const struct clab_process *p) {
  unsigned long flags = SIGCHLD;
  if (p->own_namespaces)
    flags |= CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC;
  pid_t parent = getpid();
  pid_t pid = syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
  if (pid == 0) become(p, parent);
  return pid;
}

int clab_wait(pid_t pid) {
  int status;
  pid_t done;
  do done = waitpid(pid, &status, 0); while (done < 0 && errno == EINTR);
  if (done < 0) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int clab_replace(const char *path, char *const *arguments) { return execv(path, arguments); }

int clab_pivot_root(const char *new_root, const char *old_root) {
  return syscall(SYS_pivot_root, new_root, old_root);
}

int clab_make_character_device(const char *path, mode_t mode, uint32_t major, uint32_t minor) {
  if (mknod(path, S_IFCHR | mode, makedev(major, minor)) < 0) return -1;
  return chmod(path, mode);
}

int clab_set_extended_attribute(const char *path, const char *name, const char *value) {
  return setxattr(path, name, value, strlen(value), 0);
}

int clab_open_process(pid_t pid) { return syscall(SYS_pidfd_open, pid, 0); }

int clab_open_tap(const char *name) {
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -1;
  struct ifreq request = {0};
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(fd, TUNSETIFF, &request) < 0) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

int clab_lock(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(name);
  if (length > sizeof address.sun_path - 1) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(address.sun_path + 1, name, length);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  socklen_t size = offsetof(struct sockaddr_un, sun_path) + 1 + length;
  if (bind(fd, (struct sockaddr *)&address, size) < 0) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}
