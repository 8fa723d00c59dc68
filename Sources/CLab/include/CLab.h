// The few system calls the Lab room needs and Swift does not see: clone with namespaces, pivot_root,
// device nodes, TAP interfaces. Nothing here decides anything.
#ifndef CLAB_H
#define CLAB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// What a new process gets. Everything else is closed in it, its signals are at their defaults.
struct clab_process {
  const char *path;
  char *const *arguments;
  char *const *environment;
  /// -1: /dev/null.
  int input;
  /// Both output streams.
  int output;
  /// Becomes descriptor 3; -1: none.
  int report;
  /// -1: runs at once. Else it runs when a byte can be read here, and ends when that cannot be:
  /// the other end (`go_writer`) is closed in the child.
  int go;
  int go_writer;
  /// Own mount, process, network, host name and IPC namespaces; the process is pid 1 there.
  bool own_namespaces;
  /// Own session, and outlives its parent; else the child is killed when its parent dies.
  bool detached;
};

/// The process id as the caller sees it, or -1 with errno.
pid_t clab_spawn(const struct clab_process *process);

/// Waits for the child. Its exit status, 128 + the signal that ended it, or -1 with errno.
int clab_wait(pid_t pid);

/// Replaces this process; comes back only with -1 and errno.
int clab_replace(const char *path, char *const *arguments);

int clab_pivot_root(const char *new_root, const char *old_root);
int clab_make_character_device(const char *path, mode_t mode, uint32_t major, uint32_t minor);
int clab_set_extended_attribute(const char *path, const char *name, const char *value);

/// A descriptor that turns readable when the process has ended, reaped or not; -1 with errno.
int clab_open_process(pid_t pid);

/// A new TAP interface (frames, no packet information), non-blocking; it vanishes with the descriptor.
int clab_open_tap(const char *name);

/// A listening-less unix socket bound to an abstract name: a lock that dies with its holder.
/// -1 with errno EADDRINUSE while another process holds it.
int clab_lock(const char *name);

#endif
