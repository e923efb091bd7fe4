import { SvelteMap } from 'svelte/reactivity'
import { keyOf, type AccountId, type RoomKey, type RoomRef } from '$lib/backend'

const HOLDS_MS = 6_000

/** Who is writing where. */
export class Typing {
  private readonly byRoom = new SvelteMap<RoomKey, readonly AccountId[]>()
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>()

  whoIn(key: RoomKey): readonly AccountId[] {
    return this.byRoom.get(key) ?? []
  }

  begin(ref: RoomRef, account: AccountId): void {
    const key = keyOf(ref)
    const others = this.whoIn(key).filter((other) => other !== account)
    this.byRoom.set(key, [...others, account])
    const timer = `${key} ${account}`
    clearTimeout(this.timers.get(timer))
    this.timers.set(
      timer,
      setTimeout(() => this.end(ref, account), HOLDS_MS),
    )
  }

  /** They stopped, or said it. */
  end(ref: RoomRef, account: AccountId): void {
    const key = keyOf(ref)
    const now = this.whoIn(key)
    if (!now.includes(account)) return
    this.byRoom.set(
      key,
      now.filter((other) => other !== account),
    )
  }
}
