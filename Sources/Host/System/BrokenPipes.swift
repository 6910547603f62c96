internal import Glibc

/// Makes writing to a pipe that nobody reads an error (`EPIPE`) in place of the end of this process (`SIGPIPE`); programs started later
/// are not concerned where they are given default signals.
public func ignoreBrokenPipes() {
  // The only disposition besides the default that needs no handler of ours.
  signal(SIGPIPE, SIG_IGN)
}
