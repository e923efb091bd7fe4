import { errorOf, type AppError } from '$lib/backend'

/** Something that the engine or the relay is asked for, and asked for again. */
export class Asked<Answer> {
  /** The last one that came; an error leaves it as it is. */
  answer: Answer | null = $state.raw(null)
  error: AppError | null = $state.raw(null)
  private asks = 0

  constructor(private readonly ask: () => Promise<Answer>) {}

  /** The answer to the last question counts. */
  async load(): Promise<void> {
    const mine = ++this.asks
    try {
      const answer = await this.ask()
      if (mine !== this.asks) return
      this.answer = answer
      this.error = null
    } catch (thrown) {
      if (mine === this.asks) this.error = errorOf(thrown)
    }
  }
}
