#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

// Fences itself as a worker does, tries what a worker must not be able to do and what it must, and prints a line for
// each: what was tried, and errno (0: done).
//
// usage: fence-probe FILE FOLDER TCP-PORT UNIX-SOCKET PROCESS; something listens on both, on 127.0.0.1.
// With `landlock` alone it prints the kernel's version of that, 0 where it has none.

static void say(const char *what, long result) { printf("%s %d\n", what, result < 0 ? errno : 0); }

static struct sockaddr_in local(int port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static long connect_to_unix_socket(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
}

static long connect_to_port(int port) {
  struct sockaddr_in address = local(port);
  return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
}

static long bind_to_a_port(void) {
  struct sockaddr_in address = local(0);
  return bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
}

static void try(const char *file, const char *folder, int port, const char *unix_socket, pid_t process, int kept) {
  char inside[4096], byte;
  snprintf(inside, sizeof inside, "%s/new", folder);
  say("open for reading", open(file, O_RDONLY));
  say("open for writing", open(file, O_WRONLY));
  say("create", open(inside, O_WRONLY | O_CREAT, 0600));
  say("truncate", truncate(file, 0));
  say("list a folder", open(folder, O_RDONLY | O_DIRECTORY));
  say("make a folder", mkdir(inside, 0700));
  say("remove", unlink(file));
  say("bind", bind_to_a_port());
  say("signal another process", kill(process, 0));
  char *const none[] = {NULL};
  say("execute", execve(file, none, none));

  say("read what is open", pread(kept, &byte, 1, 0));
  say("connect to a port", connect_to_port(port));
  say("connect to a unix socket", connect_to_unix_socket(unix_socket));
  say("signal itself", kill(getpid(), 0));
  say("count descriptors", clinux_open_descriptors() > 0 ? 0 : -1);
  say("measure memory", clinux_resident_bytes() > 0 ? 0 : -1);
}

int main(int count, char **words) {
  if (count == 2 && strcmp(words[1], "landlock") == 0) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */);
    printf("%ld\n", version < 0 ? 0 : version);
    return 0;
  }
  if (count != 6) return 64;
  int kept = open(words[1], O_RDONLY);
  if (kept < 0) return 1;
  say("fence", clinux_fence(0) == 0 ? 0 : -1);
  try(words[1], words[2], atoi(words[3]), words[4], atoi(words[5]), kept);
  fflush(stdout);
  // Not by exit(3): a sanitizer that looks for leaks would open files.
  _exit(0);
}
