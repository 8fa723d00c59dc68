#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static inline ssize_t folded(ssize_t result) { return result < 0 ? -errno : result; }

static void set_option(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

static int stream_socket(int family, int flags) {
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  if (fd < 0) return -errno;
  if (family != AF_UNIX) {
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    // Urgent bytes (RFC 6093) are bytes like others, in their place.
    set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
  }
  return fd;
}

int clinux_stream_socket(int family) { return stream_socket(family, SOCK_NONBLOCK); }

int clinux_blocking_stream_socket(int family) { return stream_socket(family, 0); }

void clinux_set_blocking(int fd, int blocking) {
  int flag = !blocking;
  ioctl(fd, FIONBIO, &flag);
}

static int listening_socket(const struct sockaddr *address, socklen_t length, int mode, int shares) {
  int fd = clinux_stream_socket(address->sa_family);
  if (fd < 0) return fd;
  if (shares) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (address->sa_family == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (address->sa_family != AF_UNIX) {
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  }
  if (bind(fd, address, length) < 0) {
    int error = -errno;
    close(fd);
    return error;
  }
  const char *path = address->sa_family == AF_UNIX ? ((const struct sockaddr_un *)address)->sun_path : NULL;
  if ((path != NULL && mode >= 0 && chmod(path, (mode_t)mode) < 0) || listen(fd, 65535) < 0) {
    int error = -errno;
    if (path != NULL) unlink(path);
    close(fd);
    return error;
  }
  return fd;
}

int clinux_listen(const struct sockaddr *address, socklen_t length, int mode) {
  return listening_socket(address, length, mode, 0);
}

int clinux_listen_beside(int first, const struct sockaddr *address, socklen_t length) {
  set_option(first, SOL_SOCKET, SO_REUSEPORT, 1);
  return listening_socket(address, length, -1, 1);
}

int clinux_duplicate(int fd) { return (int)folded(fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

int clinux_accept(int listener) {
  return (int)folded(accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

int clinux_accept_blocking(int listener) { return (int)folded(accept4(listener, NULL, NULL, SOCK_CLOEXEC)); }

typedef int name_call(int, struct sockaddr *, socklen_t *);

static int endpoint(name_call *name, int fd, uint64_t *high, uint64_t *low, uint16_t *port) {
  union {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    struct sockaddr_storage storage;
  } end;
  socklen_t length = sizeof end;
  if (name(fd, &end.any, &length) < 0) return -errno;
  uint64_t halves[2];
  switch (end.any.sa_family) {
    case AF_INET:
      *high = 0;
      *low = 0xffff00000000u | ntohl(end.four.sin_addr.s_addr);
      *port = ntohs(end.four.sin_port);
      return 0;
    case AF_INET6:
      memcpy(halves, &end.six.sin6_addr, sizeof halves);
      *high = be64toh(halves[0]);
      *low = be64toh(halves[1]);
      *port = ntohs(end.six.sin6_port);
      return 0;
    default: return -EAFNOSUPPORT;
  }
}

int clinux_peer_address(int fd, uint64_t *high, uint64_t *low) {
  uint16_t port;
  return clinux_peer_endpoint(fd, high, low, &port);
}

int clinux_peer_endpoint(int fd, uint64_t *high, uint64_t *low, uint16_t *port) {
  return endpoint(getpeername, fd, high, low, port);
}

int clinux_local_endpoint(int fd, uint64_t *high, uint64_t *low, uint16_t *port) {
  return endpoint(getsockname, fd, high, low, port);
}

int clinux_connect(int fd, const struct sockaddr *address, socklen_t length) {
  return (int)folded(connect(fd, address, length));
}

int clinux_take_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return -errno;
  return -error;
}

ssize_t clinux_receive(int fd, void *buffer, size_t size) {
  return folded(recv(fd, buffer, size, MSG_DONTWAIT));
}

ssize_t clinux_discard(int fd, size_t size) {
  return folded(recv(fd, NULL, size, MSG_DONTWAIT | MSG_TRUNC));
}

void clinux_bound_buffers(int fd, int size, int low_water) {
  set_option(fd, SOL_SOCKET, SO_SNDBUF, size);
  set_option(fd, SOL_SOCKET, SO_RCVBUF, size);
  set_option(fd, SOL_SOCKET, SO_RCVLOWAT, low_water);
}

void clinux_widen_buffers(int fd, int low_water) {
  // Larger sizes would stop at net.core.rmem_max and wmem_max. A low-water mark makes the kernel give what it needs, to a
  // socket whose receive buffer nobody has fixed; fixed again, it does not grow further.
  set_option(fd, SOL_SOCKET, SO_BUF_LOCK, 0);
  set_option(fd, SOL_SOCKET, SO_RCVLOWAT, low_water);
  set_option(fd, SOL_SOCKET, SO_BUF_LOCK, SOCK_BUF_LOCK_MASK & ~SOCK_SNDBUF_LOCK);
}

ssize_t clinux_send(int fd, const void *bytes, size_t size) {
  return folded(send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL));
}

ssize_t clinux_send_vector(int fd, const struct iovec *pieces, int count) {
  struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count};
  return folded(sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
}

int clinux_pipe(int pipe[2], int size) {
  if (pipe2(pipe, O_NONBLOCK | O_CLOEXEC) < 0) return -errno;
  fcntl(pipe[1], F_SETPIPE_SZ, size);
  return 0;
}

ssize_t clinux_splice(int from, int to, size_t size) {
  return folded(splice(from, NULL, to, NULL, size, SPLICE_F_NONBLOCK));
}

ssize_t clinux_read(int fd, void *buffer, size_t size) { return folded(read(fd, buffer, size)); }

int clinux_unacknowledged(int fd) {
  int count = 0;
  return ioctl(fd, SIOCOUTQ, &count) < 0 ? -errno : count;
}

int64_t clinux_answered_milliseconds(int fd) {
  struct tcp_info info;
  socklen_t length = sizeof info;
  if (clinux_unacknowledged(fd) != 0) return -1;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0) return -errno;
  // The times begin with the connection, whose first bytes may come in the same tick.
  if (info.tcpi_bytes_sent == 0) return -1;
  return info.tcpi_last_data_sent <= info.tcpi_last_data_recv ? (int64_t)info.tcpi_last_data_sent : -1;
}

void clinux_reset_at_close(int fd) {
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void clinux_close_by_reset(int fd) {
  clinux_reset_at_close(fd);
  close(fd);
}

int clinux_epoll_create(void) { return (int)folded(epoll_create1(EPOLL_CLOEXEC)); }

int clinux_epoll_add(int epoll, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data = {.u64 = data}};
  return (int)folded(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

int clinux_epoll_wait(int epoll, struct epoll_event *events, int count, int milliseconds) {
  int ready = epoll_wait(epoll, events, count, milliseconds);
  if (ready < 0) return errno == EINTR ? 0 : -errno;
  return ready;
}

int clinux_socket_pair(int pair[2]) {
  return (int)folded(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair));
}

int clinux_open_tap(const char *name) {
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  if (strlen(name) >= sizeof request.ifr_name) return -EINVAL;
  strcpy(request.ifr_name, name);
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -errno;
  if (ioctl(fd, TUNSETIFF, &request) < 0) {
    int error = -errno;
    close(fd);
    return error;
  }
  return fd;
}

int64_t clinux_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
  if (limit.rlim_cur < limit.rlim_max) {
    struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur;
}

void clinux_make_room_for_descriptors(int count) {
  int last = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, count - 1);
  if (last >= 0) close(last);
}

void *clinux_map_small_pages(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return NULL;
  madvise(memory, size, MADV_NOHUGEPAGE);
  return memory;
}

// Both are opened once, and stay usable where the process may no longer open anything.
static pthread_mutex_t own_process = PTHREAD_MUTEX_INITIALIZER;

static DIR *own_descriptors = NULL;

int clinux_open_descriptors(void) {
  pthread_mutex_lock(&own_process);
  if (own_descriptors == NULL) own_descriptors = opendir("/proc/self/fd");
  DIR *directory = own_descriptors;
  int count = directory == NULL ? -errno : 0;
  if (directory != NULL) {
    rewinddir(directory);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory))
      if (entry->d_name[0] != '.') count += 1;
    count -= 1;  // the directory's own
  }
  pthread_mutex_unlock(&own_process);
  return count;
}

int clinux_open_descriptors_at_once(void) {
  struct stat status;
  pthread_mutex_lock(&own_process);
  if (own_descriptors == NULL) own_descriptors = opendir("/proc/self/fd");
  int result = own_descriptors == NULL ? -1 : fstat(dirfd(own_descriptors), &status);
  int error = errno;
  pthread_mutex_unlock(&own_process);
  if (result < 0) return -error;
  // The directory's own is among them.
  return status.st_size > 0 ? (int)status.st_size - 1 : -ENOTSUP;
}

int64_t clinux_resident_bytes(void) {
  static int statm = -1;
  pthread_mutex_lock(&own_process);
  if (statm < 0) statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  int error = errno;
  pthread_mutex_unlock(&own_process);
  if (statm < 0) return -error;
  char text[128];
  ssize_t length = pread(statm, text, sizeof text - 1, 0);
  if (length < 0) return -errno;
  text[length] = 0;
  long long size = 0, resident = 0;
  int read = sscanf(text, "%lld %lld", &size, &resident);
  return read == 2 ? resident * sysconf(_SC_PAGESIZE) : -EIO;
}

int clinux_usable_processors(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) < 0 ? 1 : CPU_COUNT(&set);
}

uint64_t clinux_monotonic_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
