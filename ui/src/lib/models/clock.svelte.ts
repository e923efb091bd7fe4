/** The time, as far as drawing needs it: it moves every half minute, so that "3 minutes ago" does. */
export class Clock {
  now: number = $state(Date.now())

  run(): () => void {
    const timer = setInterval(() => (this.now = Date.now()), 30_000)
    return () => clearInterval(timer)
  }

  /** Something just happened: what is drawn of it must not lie in the future. */
  touch(): void {
    this.now = Date.now()
  }
}
