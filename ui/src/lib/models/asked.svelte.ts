import { errorOf, type AppError } from '$lib/backend'

/** A list that the relay is asked for, and asked for again. */
export class Asked<Row> {
  rows: readonly Row[] | null = $state.raw(null)
  error: AppError | null = $state.raw(null)
  private asks = 0

  constructor(private readonly ask: () => Promise<readonly Row[]>) {}

  /** The answer to the last question counts. */
  async load(): Promise<void> {
    const mine = ++this.asks
    try {
      const rows = await this.ask()
      if (mine !== this.asks) return
      this.rows = rows
      this.error = null
    } catch (thrown) {
      if (mine === this.asks) this.error = errorOf(thrown)
    }
  }
}
