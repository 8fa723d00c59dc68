#ifndef CURING_SHIM_H
#define CURING_SHIM_H

// The door to liburing: what the proxy's loop asks of it, each as one plain function (its own are macros and
// casts that Swift cannot see). liburing's header comes last: it has its own idea of which C library it wants and
// brings a copy of the kernel's header, and Swift refuses a structure that two modules define in two ways.

#include <errno.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <stdint.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <liburing.h>

// Opens a ring that is not enabled yet: the thread that enables it is the only one that may use it.
// 0, or the negated errno where the kernel lacks what is asked for (it has all of it since 6.1) or forbids it.
static inline int curing_open(struct io_uring *ring, unsigned entries, unsigned completions) {
  struct io_uring_params parameters = {0};
  parameters.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                     IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
  parameters.cq_entries = completions;
  int result = io_uring_queue_init_params(entries, ring, &parameters);
  if (result < 0) return result;
  // Who may open a ring may still be forbidden to enter it; otherwise one that is not enabled says just that.
  int entered = io_uring_get_events(ring);
  if (entered >= 0 || entered == -EBADFD) return 0;
  io_uring_queue_exit(ring);
  return entered;
}

// liburing 2.3 declares io_uring_enable_rings and does not have it.
static inline int curing_enable(struct io_uring *ring) {
  return io_uring_register((unsigned)ring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

// Gives the kernel a ring of buffers to choose from: page-aligned memory for `entries` descriptions of them.
static inline int curing_provide(struct io_uring *ring, struct io_uring_buf_ring *buffers, unsigned entries,
                                 unsigned short group) {
  struct io_uring_buf_reg registration = {
      .ring_addr = (unsigned long)buffers, .ring_entries = entries, .bgid = group};
  int result = io_uring_register_buf_ring(ring, &registration, 0);
  if (result == 0) io_uring_buf_ring_init(buffers);
  return result;
}

static inline size_t curing_buffer_ring_size(unsigned entries) { return entries * sizeof(struct io_uring_buf); }

// Gives one buffer to the kernel, or gives it back.
static inline void curing_give(struct io_uring_buf_ring *buffers, unsigned entries, void *start, unsigned size,
                               unsigned short number) {
  io_uring_buf_ring_add(buffers, start, size, number, io_uring_buf_ring_mask(entries), 0);
  io_uring_buf_ring_advance(buffers, 1);
}

// A free submission; what was asked for so far is submitted first where there is none.
static inline struct io_uring_sqe *curing_next(struct io_uring *ring) {
  struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
  while (sqe == NULL) {
    io_uring_submit(ring);
    sqe = io_uring_get_sqe(ring);
  }
  return sqe;
}

// The address is read when this is submitted.
static inline void curing_connect(struct io_uring *ring, int fd, const struct sockaddr *address, socklen_t length,
                                  uint64_t data) {
  struct io_uring_sqe *sqe = curing_next(ring);
  io_uring_prep_connect(sqe, fd, address, length);
  io_uring_sqe_set_data64(sqe, data);
}

// Receives into buffers of a group until told otherwise.
static inline void curing_receive_on(struct io_uring *ring, int fd, unsigned short group, uint64_t data) {
  struct io_uring_sqe *sqe = curing_next(ring);
  io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = group;
  io_uring_sqe_set_data64(sqe, data);
}

// Sends all of the bytes, as far as the socket takes them at once. It is done when it is submitted, and completes
// only when it could not send all: with the number of bytes sent, or a negated errno.
static inline void curing_send(struct io_uring *ring, int fd, const void *bytes, size_t size, uint64_t data) {
  struct io_uring_sqe *sqe = curing_next(ring);
  io_uring_prep_send(sqe, fd, bytes, size, MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(sqe, data);
}

// The same, of bytes in several pieces. The message is read when this is submitted.
static inline void curing_send_message(struct io_uring *ring, int fd, const struct msghdr *message, uint64_t data) {
  struct io_uring_sqe *sqe = curing_next(ring);
  io_uring_prep_sendmsg(sqe, fd, message, MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(sqe, data);
}

// Waits, once, until the events of poll(2), or an error or hang-up, come.
static inline void curing_poll(struct io_uring *ring, int fd, unsigned events, uint64_t data) {
  struct io_uring_sqe *sqe = curing_next(ring);
  io_uring_prep_poll_add(sqe, fd, events);
  io_uring_sqe_set_data64(sqe, data);
}

// Takes back what was asked for with `target`; it completes all the same, perhaps with -ECANCELED. The kernel finds it by a
// hash of `target`: by its descriptor, it would look at all that it was ever asked and has not done.
static inline void curing_cancel(struct io_uring *ring, uint64_t target) {
  struct io_uring_sqe *sqe = curing_next(ring);
  io_uring_prep_cancel64(sqe, target, 0);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(sqe, 0);
}

// Closes a descriptor, after all that was asked of it before.
static inline void curing_close(struct io_uring *ring, int fd) {
  struct io_uring_sqe *sqe = curing_next(ring);
  io_uring_prep_close(sqe, fd);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(sqe, 0);
}

// Takes back all that the kernel was asked for, so that it lets go of every descriptor now: what a ring still has when its
// process ends is given up some time after that.
static inline void curing_cancel_all(struct io_uring *ring) {
  io_uring_submit_and_get_events(ring);
  struct io_uring_sync_cancel_reg all = {.fd = -1,
                                         .flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL,
                                         .timeout = {.tv_sec = 0, .tv_nsec = 100000000}};
  io_uring_register((unsigned)ring->ring_fd, IORING_REGISTER_SYNC_CANCEL, &all, 1);
  io_uring_get_events(ring);
}

// Submits what was asked for and waits for a completion, up to `nanoseconds`; 0 looks only, UINT64_MAX waits
// without end.
static inline void curing_turn(struct io_uring *ring, uint64_t nanoseconds) {
  if (nanoseconds == 0) {
    io_uring_submit_and_get_events(ring);
  } else if (nanoseconds == UINT64_MAX) {
    io_uring_submit_and_wait(ring, 1);
  } else {
    struct __kernel_timespec time = {.tv_sec = (long long)(nanoseconds / 1000000000),
                                     .tv_nsec = (long long)(nanoseconds % 1000000000)};
    struct io_uring_cqe *first;
    io_uring_submit_and_wait_timeout(ring, &first, 1, &time, NULL);
  }
}

// A completion, taken out of the ring.
struct curing_completion {
  uint64_t data;
  int32_t result;
  uint32_t flags;
};

// Takes up to `count` completions out of the ring.
static inline unsigned curing_take(struct io_uring *ring, struct curing_completion *completions, unsigned count) {
  unsigned head, taken = 0;
  struct io_uring_cqe *cqe;
  io_uring_for_each_cqe(ring, head, cqe) {
    if (taken == count) break;
    completions[taken].data = cqe->user_data;
    completions[taken].result = cqe->res;
    completions[taken].flags = cqe->flags;
    taken += 1;
  }
  io_uring_cq_advance(ring, taken);
  return taken;
}

// More completions of the same request will come.
static inline int curing_has_more(uint32_t flags) { return (flags & IORING_CQE_F_MORE) != 0; }
// The number of the buffer that a receive chose, or -1.
static inline int curing_buffer(uint32_t flags) {
  return flags & IORING_CQE_F_BUFFER ? (int)(flags >> IORING_CQE_BUFFER_SHIFT) : -1;
}

#endif
