// Waiting with a bound, and figures of durations in milliseconds.
export const nowMs = () => performance.now();
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/// The time that is left of one whole run; every wait ends with it.
export class Deadline {
  constructor(seconds) {
    this.seconds = seconds;
    this.end = nowMs() + seconds * 1000;
  }
  leftMs() { return Math.max(0, this.end - nowMs()); }
}

/// Asks `look()` until it answers something true, and answers that. After `seconds`, or when the deadline of the whole
/// run has passed, throws an Error that says what was waited for, with the detail of `explain()`.
/// `aborted()` may throw at any time to end the wait early, when a program has died for example.
export async function waitFor(what, {look, explain = () => '', deadline, seconds = 30, everyMs = 20, aborted = () => {}}) {
  const started = nowMs();
  for (;;) {
    const lookStarted = nowMs();
    const answer = look();
    if (answer) return answer;
    aborted();
    const waited = nowMs() - started;
    if (waited > seconds * 1000 || deadline.leftMs() === 0) {
      const detail = explain();
      throw new Error(`waited ${(waited / 1000).toFixed(1)} s for ${what}${detail ? ': ' + detail : ''}`);
    }
    // A look at a large folder may take long; leave the devices at least as much of the machine as the looking took.
    await pause(Math.max(everyMs, nowMs() - lookStarted));
  }
}

/// The value that `share` (0 to 1) of `values` do not exceed; null for none. Nearest rank.
export function percentile(values, share) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}
