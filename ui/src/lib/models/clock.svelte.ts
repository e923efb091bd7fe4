const TOUCH_MS = 5_000

/** The time, as far as drawing needs it: it moves every half minute, so that "3 minutes ago" does. */
export class Clock {
  now: number = $state(Date.now())

  run(): () => void {
    const timer = setInterval(() => (this.now = Date.now()), 30_000)
    return () => clearInterval(timer)
  }

  /** Something just happened. Not every time is worth drawing all times anew. */
  touch(): void {
    const now = Date.now()
    if (now - this.now > TOUCH_MS) this.now = now
  }
}
