import {
  errorOf,
  type AccountId,
  type AppError,
  type Backend,
  type Person,
  type ProfileId,
} from '$lib/backend'

const WAIT_MS = 120

/** Looks for people of a relay while somebody writes; before that it offers those who are known. */
export class SearchPeople {
  text = $state('')
  people: readonly Person[] = $state.raw([])
  busy = $state(false)
  error: AppError | null = $state.raw(null)
  private generation = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  /** `without`: people who are not to be offered. */
  constructor(
    private readonly backend: Backend,
    readonly profile: ProfileId,
    private readonly without: () => readonly AccountId[],
  ) {}

  get shown(): readonly Person[] {
    const without = this.without()
    return this.people.filter(({ account }) => !without.includes(account))
  }

  type(text: string): void {
    this.text = text
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.look(), WAIT_MS)
  }

  /** Asks now. What was asked before and comes later does not count. */
  async look(): Promise<void> {
    clearTimeout(this.timer)
    const generation = ++this.generation
    const wanted = this.text.trim()
    this.busy = true
    try {
      const people =
        wanted === ''
          ? await this.backend.knownPeople(this.profile)
          : await this.backend.findPeople(this.profile, wanted)
      if (generation !== this.generation) return
      this.people = wanted === '' ? people.filter(hasName).toSorted(byName) : people
      this.error = null
    } catch (thrown) {
      if (generation !== this.generation) return
      this.people = []
      this.error = errorOf(thrown)
    } finally {
      if (generation === this.generation) this.busy = false
    }
  }

  stop(): void {
    clearTimeout(this.timer)
    this.generation++
  }
}

function hasName({ handle, name }: Person): boolean {
  return handle !== '' || name !== ''
}

function byName(a: Person, b: Person): number {
  return a.shown.localeCompare(b.shown)
}
