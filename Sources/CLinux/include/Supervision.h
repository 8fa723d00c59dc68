#ifndef CLINUX_SUPERVISION_H
#define CLINUX_SUPERVISION_H

// What a supervisor and its worker need of Linux: signals as bytes, children, descriptors that travel, a fence.
// As in CLinux.h, a negative result is the negated errno.

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

// Blocks SIGTERM, SIGINT, SIGHUP, SIGUSR2 and SIGCHLD and returns a descriptor that tells of them; SIGPIPE is ignored.
// Blocked signals wait, through an exec too, and a child that is started from here has them blocked as well.
int clinux_signal_descriptor(void);

// The next signal that waits on the descriptor; -EAGAIN when none does.
int clinux_next_signal(int fd);

// A connected pair whose messages keep their bounds; both ends are close-on-exec.
int clinux_message_pair(int pair[2]);

// Starts a program that finds `handed` as its descriptor 3, and none above, in a process group of its own where that is
// wanted. The arguments and the environment end with NULL.
pid_t clinux_start_child(const char *path, char *const arguments[], char *const environment[], int own_group, int handed);

// A child that has ended and is not buried yet; 0 when there is none.
pid_t clinux_ended_child(void);

// Sends bytes with up to 200 descriptors. Fails with -EAGAIN rather than wait.
ssize_t clinux_send_descriptors(int socket, const void *bytes, size_t size, const int *descriptors, size_t count);

// Waits for a message and takes it with its descriptors, close-on-exec; `count` is the room for them and becomes their
// number. 0: the other side is gone.
ssize_t clinux_receive_descriptors(int socket, void *bytes, size_t size, int *descriptors, size_t *count);

// A file in memory with these bytes, at its beginning, close-on-exec.
int clinux_memory_file(const void *bytes, size_t size);

void clinux_set_close_on_exec(int fd, int closes);

// The process takes on a user: supplementary groups, group and user, real, effective and saved.
int clinux_become(uid_t user, gid_t group, const gid_t *groups, size_t count);

// Gives up for good what the process may do and need not: new privileges through exec, all capabilities (root keeps the
// one to pass the permissions of files, which unix sockets are, where that is wanted), and where the kernel has Landlock
// all access to files by their names, executing, binding to ports and signals to other processes. What is open stays
// usable, and connecting goes on. Who stays root is still the owner of root's files and sockets: it can connect to
// these, and change the files' modes.
// Only for a process of one thread. 0 with Landlock, 1 where the kernel has none.
int clinux_fence(int passes_file_permissions);

#endif
