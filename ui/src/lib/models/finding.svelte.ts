import {
  errorOf,
  type AppError,
  type Backend,
  type Found,
  type Hit,
  type Reach,
  type RoomRef,
} from '$lib/backend'

const WAIT_MS = 160
const PAGE_HITS = 30
const LETTERS_MIN = 2

/** A search over what is stored on this device. */
export class Finding {
  text = $state('')
  /** One room, or everywhere. */
  where: RoomRef | null = $state.raw(null)
  hits: readonly Hit[] = $state.raw([])
  reach: Reach | null = $state.raw(null)
  more = $state(false)
  busy = $state(false)
  /** What the hits are hits of; `null`: nothing was looked for yet. */
  found: string | null = $state(null)
  error: AppError | null = $state.raw(null)
  private generation = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly backend: Backend) {}

  type(text: string): void {
    this.text = text
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.look(), WAIT_MS)
  }

  lookIn(where: RoomRef | null): void {
    if (where?.profile === this.where?.profile && where?.room === this.where?.room) return
    this.where = where
    void this.look()
  }

  /** Asks now. A single letter of a script that writes words with one counts; other ones wait for more. */
  async look(): Promise<void> {
    clearTimeout(this.timer)
    const generation = ++this.generation
    const text = this.text.trim()
    if (!enough(text)) {
      this.clear()
      return
    }
    await this.ask(generation, text, null)
  }

  async loadMore(): Promise<void> {
    const oldest = this.hits.at(-1)
    if (!this.more || this.busy || !oldest || this.found === null) return
    await this.ask(this.generation, this.found, oldest.at)
  }

  stop(): void {
    clearTimeout(this.timer)
    this.generation++
  }

  private async ask(generation: number, text: string, before: number | null): Promise<void> {
    this.busy = true
    try {
      const { profile = null, room = null } = this.where ?? {}
      const answer = await this.backend.find(profile, room, text, before, PAGE_HITS)
      if (generation === this.generation) this.take(text, answer, before !== null)
    } catch (thrown) {
      if (generation !== this.generation) return
      this.clear()
      this.error = errorOf(thrown)
    } finally {
      if (generation === this.generation) this.busy = false
    }
  }

  private take(text: string, { hits, more, reach }: Found, behind: boolean): void {
    this.hits = behind ? [...this.hits, ...hits] : hits
    this.more = more
    this.reach = reach
    this.found = text
    this.error = null
  }

  private clear(): void {
    this.hits = []
    this.more = false
    this.reach = null
    this.found = null
    this.error = null
    this.busy = false
  }
}

function enough(text: string): boolean {
  return text.length >= LETTERS_MIN || /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u.test(text)
}
