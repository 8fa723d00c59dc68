#ifndef CLINUX_H
#define CLINUX_H

// The door to what Linux offers and Swift's Glibc module does not show well.
// Every clinux_ function returns its result, or the negated errno: a caller cannot read a stale errno.

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "Supervision.h"

// Opens a non-blocking, close-on-exec stream socket; TCP sockets get TCP_NODELAY.
int clinux_stream_socket(int family);

// The same, blocking: io_uring waits by itself for those alone.
int clinux_blocking_stream_socket(int family);

void clinux_set_blocking(int fd, int blocking);

// Opens a listening socket bound to the address; TCP_NODELAY and SO_KEEPALIVE pass on to what it accepts.
// `::` takes IPv4 as well, whatever the system's own default is. The file of a unix socket gets `mode` before
// anybody can connect; -1 leaves it to the umask.
int clinux_listen(const struct sockaddr *address, socklen_t length, int mode);

// Opens another listening socket on the address that `first` listens on: the kernel spreads connections over them.
int clinux_listen_beside(int first, const struct sockaddr *address, socklen_t length);

// Another descriptor of the same open file, close-on-exec.
int clinux_duplicate(int fd);

// Accepts one connection, non-blocking and close-on-exec.
int clinux_accept(int listener);

// The same, and a descriptor that blocks.
int clinux_accept_blocking(int listener);

// The address of a connected socket's peer, as the two halves of an IPv6 address; an IPv4 one is mapped into it.
// -EAFNOSUPPORT for a unix socket.
int clinux_peer_address(int fd, uint64_t *high, uint64_t *low);

// The same of the peer's or of the socket's own end, with its port.
int clinux_peer_endpoint(int fd, uint64_t *high, uint64_t *low, uint16_t *port);
int clinux_local_endpoint(int fd, uint64_t *high, uint64_t *low, uint16_t *port);

int clinux_connect(int fd, const struct sockaddr *address, socklen_t length);

// The error that a connect, or a failure of the connection since, left behind (SO_ERROR); 0 when there is none. Told once.
int clinux_take_error(int fd);

ssize_t clinux_receive(int fd, void *buffer, size_t size);

// Throws away up to `size` received bytes without copying them out of the kernel. TCP only.
ssize_t clinux_discard(int fd, size_t size);

// Before it is connected: bounds what the kernel keeps of bytes to be sent, and of received ones (SO_SNDBUF, SO_RCVBUF, of
// which it takes the double), and reports the socket as readable only when `low_water` of them have come, or the
// stream has ended (SO_RCVLOWAT). TCP only.
void clinux_bound_buffers(int fd, int size, int low_water);

// Of a connected one: lets the kernel keep as much of bytes to be sent as it likes (net.ipv4.tcp_wmem), and `low_water`
// received ones, and reports the socket as readable when there are so many, or no more will fit. Where the kernel is
// older than 5.14, the buffers stay as they were. TCP only.
void clinux_widen_buffers(int fd, int low_water);

ssize_t clinux_send(int fd, const void *bytes, size_t size);

// The same, of bytes in several pieces.
ssize_t clinux_send_vector(int fd, const struct iovec *pieces, int count);

// A pipe to splice bytes through, with room for `size` of them where this process may have that much.
int clinux_pipe(int pipe[2], int size);

// Moves up to `size` bytes between a socket and a pipe without copying them (splice(2)). Whether a socket is waited for is
// its own O_NONBLOCK's to say.
ssize_t clinux_splice(int from, int to, size_t size);

// Reads what is in a pipe.
ssize_t clinux_read(int fd, void *buffer, size_t size);

// Bytes the peer has not acknowledged yet.
int clinux_unacknowledged(int fd);

// For how long a TCP connection has had nothing to do since its peer got, and acknowledged, what was sent last.
// Negative while bytes are under way to the peer, or the last ones came from it: then it waits for an answer.
int64_t clinux_answered_milliseconds(int fd);

// Makes the close of a socket send a reset instead of a FIN.
void clinux_reset_at_close(int fd);

// Closes with a reset instead of a FIN.
void clinux_close_by_reset(int fd);

int clinux_epoll_add(int epoll, int fd, uint32_t events, uint64_t data);
int clinux_epoll_create(void);

// Waits in milliseconds; -1 waits without end. An interrupted wait is no event.
int clinux_epoll_wait(int epoll, struct epoll_event *events, int count, int milliseconds);

// A connected pair of non-blocking, close-on-exec stream sockets.
int clinux_socket_pair(int pair[2]);

// Makes a TAP interface of that name: each read gives an Ethernet frame that was sent to it, each write
// sends one. The interface is gone when the descriptor is closed.
int clinux_open_tap(const char *name);

// Raises the soft limit of open files to the hard one and returns it.
int64_t clinux_raise_descriptor_limit(void);

// Has the kernel give this process a table for so many descriptors at once. Later, with threads, it would wait with each
// doubling until no processor looks at the old table: some ten milliseconds.
void clinux_make_room_for_descriptors(int count);

// Memory for munmap(2), given page by page as it is written: a huge page takes up to five milliseconds on a virtual machine,
// all at once. NULL when there is none.
void *clinux_map_small_pages(size_t size);

// The number of open descriptors of this process.
int clinux_open_descriptors(void);

// The same without looking at each of them, which takes a millisecond for a thousand; -ENOTSUP before Linux 6.2.
int clinux_open_descriptors_at_once(void);

// Resident memory of this process.
int64_t clinux_resident_bytes(void);

// The number of processors that this process may run on.
int clinux_usable_processors(void);

uint64_t clinux_monotonic_nanoseconds(void);

// For the benchmarks (Measuring.c).

// Lets SIGINT, SIGTERM and SIGHUP only be noted; clinux_stop_noted says whether one came.
void clinux_note_stop_signals(void);
int clinux_stop_noted(void);

// Raises both limits of open files to `count` where that is allowed, and returns the soft one.
int64_t clinux_allow_descriptors(int64_t count);

// Restricts a process with one thread (0: the calling thread) to the processors of the mask.
int clinux_pin(pid_t process, uint64_t processors);

// The processors the calling thread may use, the first 64 of them.
uint64_t clinux_processors(void);

// CPU time of a whole process, its threads that ended included, as the scheduler accounts it.
int64_t clinux_cpu_nanoseconds(pid_t process);

// Starts a program of an absolute path, in a process group of its own, stdin closed to it, stdout and stderr
// going to `output`, restricted to the processors. It gets SIGTERM should the caller's thread die.
pid_t clinux_spawn(char *const argv[], int output, uint64_t processors);

// As clinux_epoll_wait, in nanoseconds.
int clinux_epoll_wait_nanoseconds(int epoll, struct epoll_event *events, int count, int64_t nanoseconds);

// Has the calling thread run when nobody else would (SCHED_IDLE). Who wakes while it runs mostly gets the processor at
// once; on a processor that is never idle it still gets its small share, a tick of the scheduler at a time (seen with
// Linux 6.18: up to 5 ms). 0, or the negated errno.
int clinux_give_way(void);

// The name that ps, top and /proc/PID/comm show for this process; an executable that was started by descriptor has none
// of its own. The first 15 bytes count.
void clinux_name_process(const char *name);

// Lets this thread's waits end when they should: by default the kernel may end them 50 microseconds late.
void clinux_wake_punctually(void);

#endif
