/* The load of the gateway bench: SMTP sessions in one process, each message with its own Message-ID, sender and recipient.

   load PORT SESSIONS COUNT BODY PAIRS FIRST RATE KEEP

   smtp-source sends one Message-ID and one sender and tells no latencies; otherwise this speaks like it: no pipelining.
   BODY is a dot-stuffed file that ends in CRLF, PAIRS has a line "sender recipient" a message, of which FIRST is the first
   used. RATE is messages a second, 0 for as fast as it goes. KEEP is how many messages a connection carries.
   Prints one JSON object; latencies are milliseconds from MAIL to the final reply.

   cc -O2 -o load load.c */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum state { GREETING, HELLO, IDLE, MAIL, RCPT, DATA, CONTENT, QUIT };

struct session {
  int fd, sent_here, pair;
  enum state state;
  char in[4096], head[1024];
  size_t have, head_size, at;
  double began, dotted;
};

static char *body, **senders, **recipients;
static size_t body_size, pairs;
static int port, sessions, count, first, keep, poller, begun, done, refused, waiting;
static double rate, started, *latency, *answer;
static struct session **idle;

static void die(const char *what) { perror(what); exit(1); }

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static char *slurp(const char *path, size_t *size) {
  int fd = open(path, O_RDONLY);
  struct stat s;
  if (fd < 0 || fstat(fd, &s)) die(path);
  *size = s.st_size;
  char *text = malloc(s.st_size + 1);
  if (read(fd, text, s.st_size) != s.st_size) die(path);
  text[s.st_size] = 0;
  close(fd);
  return text;
}

static void watch(struct session *s, int op, uint32_t events) {
  struct epoll_event e = {.events = events, .data.ptr = s};
  if (epoll_ctl(poller, op, s->fd, &e)) die("epoll_ctl");
}

static void open_session(struct session *s) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1;
  s->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (s->fd < 0 || connect(s->fd, (void *)&a, sizeof a)) die("connect");
  setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(s->fd, F_SETFL, O_NONBLOCK);
  s->state = GREETING;
  s->have = 0;
  s->sent_here = 0;
  watch(s, EPOLL_CTL_ADD, EPOLLIN);
}

static void say(struct session *s, const char *text, enum state next) {
  size_t n = strlen(text);
  if (write(s->fd, text, n) != (ssize_t)n) die("write");
  s->state = next;
}

static void push_content(struct session *s) {
  static char dot[] = ".\r\n";
  size_t whole = s->head_size + body_size + 3;
  while (s->at < whole) {
    struct iovec v[3];
    int n = 0;
    if (s->at < s->head_size) v[n++] = (struct iovec){s->head + s->at, s->head_size - s->at};
    size_t in_body = s->at > s->head_size ? s->at - s->head_size : 0;
    if (in_body < body_size) v[n++] = (struct iovec){body + in_body, body_size - in_body};
    size_t in_dot = s->at > s->head_size + body_size ? s->at - s->head_size - body_size : 0;
    v[n++] = (struct iovec){dot + in_dot, 3 - in_dot};
    ssize_t wrote = writev(s->fd, v, n);
    if (wrote < 0 && errno == EAGAIN) { watch(s, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT); return; }
    if (wrote < 0) die("writev");
    s->at += wrote;
  }
  watch(s, EPOLL_CTL_MOD, EPOLLIN);
  s->dotted = now();
}

static void begin(struct session *s) {
  char line[1100];
  s->pair = begun++;
  s->began = now();
  snprintf(line, sizeof line, "MAIL FROM:<%s>\r\n", senders[(first + s->pair) % pairs]);
  say(s, line, MAIL);
}

static void rest(struct session *s) {
  s->state = IDLE;
  if (begun >= count) return;
  if (!rate || now() >= started + begun / rate) begin(s);
  else idle[waiting++] = s;
}

static void reply(struct session *s, int code) {
  char line[1100];
  const char *to = recipients[(first + s->pair) % pairs], *from = senders[(first + s->pair) % pairs];
  int good = s->state == DATA ? code == 354 : code / 100 == 2;
  if (!good && s->state != CONTENT && s->state != QUIT) { fprintf(stderr, "refused before the dot: %d\n", code); exit(1); }
  refused += !good && s->state == CONTENT;
  switch (s->state) {
    case GREETING: say(s, "EHLO load.example\r\n", HELLO); break;
    case HELLO: rest(s); break;
    case MAIL: snprintf(line, sizeof line, "RCPT TO:<%s>\r\n", to); say(s, line, RCPT); break;
    case RCPT: say(s, "DATA\r\n", DATA); break;
    case DATA:
      s->head_size = snprintf(s->head, sizeof s->head, "Message-ID: <%d.%d.%ld@load.own.example>\r\nFrom: <%s>\r\nTo: <%s>\r\n",
                              first + s->pair, getpid(), (long)time(0), from, to);
      s->at = 0;
      s->state = CONTENT;
      push_content(s);
      break;
    case CONTENT:
      latency[done] = (now() - s->began) * 1e3;
      answer[done] = (now() - s->dotted) * 1e3;
      done++;
      if (++s->sent_here >= keep && begun < count) say(s, "QUIT\r\n", QUIT);
      else rest(s);
      break;
    default: break;
  }
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  if (argc != 9) { fprintf(stderr, "usage: load PORT SESSIONS COUNT BODY PAIRS FIRST RATE KEEP\n"); return 64; }
  port = atoi(argv[1]); sessions = atoi(argv[2]); count = atoi(argv[3]);
  body = slurp(argv[4], &body_size);
  size_t size;
  char *text = slurp(argv[5], &size);
  first = atoi(argv[6]); rate = atof(argv[7]); keep = atoi(argv[8]);
  for (char *c = text; *c; c++) pairs += *c == '\n';
  senders = calloc(pairs, sizeof *senders);
  recipients = calloc(pairs, sizeof *recipients);
  size_t n = 0;
  for (char *line = strtok(text, "\n"); line && n < pairs; line = strtok(0, "\n"), n++) {
    char *gap = strchr(line, ' ');
    *gap = 0;
    senders[n] = line; recipients[n] = gap + 1;
  }
  latency = calloc(count, sizeof *latency);
  answer = calloc(count, sizeof *answer);
  idle = calloc(sessions, sizeof *idle);
  poller = epoll_create1(0);
  struct session *all = calloc(sessions, sizeof *all);
  started = now();
  for (int i = 0; i < sessions; i++) open_session(&all[i]);
  if (rate) started = now() + 0.2;
  double first_at = started;
  while (done < count) {
    struct epoll_event events[64];
    int timeout = 1000;
    if (rate && waiting && begun < count) {
      double left = started + begun / rate - now();
      timeout = left > 0 ? (int)(left * 1e3) : 0;
    }
    int ready = epoll_wait(poller, events, 64, timeout);
    for (int i = 0; i < ready; i++) {
      struct session *s = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) push_content(s);
      if (!(events[i].events & (EPOLLIN | EPOLLHUP))) continue;
      ssize_t got = read(s->fd, s->in + s->have, sizeof s->in - s->have - 1);
      if (got < 0 && errno == EAGAIN) continue;
      if (got <= 0) {
        if (s->state != QUIT) { fprintf(stderr, "connection lost\n"); return 1; }
        close(s->fd);
        open_session(s);
        continue;
      }
      s->have += got;
      s->in[s->have] = 0;
      char *line = s->in, *end;
      int code = 0;
      while ((end = strchr(line, '\n'))) {
        if (end - line >= 4 && line[3] == ' ') code = atoi(line);
        line = end + 1;
      }
      s->have -= line - s->in;
      memmove(s->in, line, s->have);
      if (code) reply(s, code);
    }
    while (rate && waiting && begun < count && now() >= started + begun / rate) begin(idle[--waiting]);
  }
  double took = now() - first_at;
  qsort(latency, count, sizeof *latency, by_size);
  qsort(answer, count, sizeof *answer, by_size);
  printf("{\"seconds\": %.4f, \"rate\": %.2f, \"refused\": %d, \"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f, \"answer_p50\": %.3f}\n",
         took, count / took, refused, latency[count / 2], latency[(int)(count * 0.99)], latency[count - 1], answer[count / 2]);
  return 0;
}
