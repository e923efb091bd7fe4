/** Something that lies over a place in the window for a moment: fetched when the first picture is drawn, or asked for. */
class Layer<Component> {
  readonly #import: () => Promise<{ default: Component }>
  #fetched: Component | null = $state.raw(null)

  constructor(load: () => Promise<{ default: Component }>) {
    this.#import = load
  }

  /** At once if it is here: whoever types at once must not outrun it. */
  get component(): Component | null {
    if (!this.#fetched) void this.fetch()
    return this.#fetched
  }

  async fetch(): Promise<void> {
    this.#fetched ??= (await this.#import()).default
  }
}

export const LAYERS = {
  profile: new Layer(() => import('./chats/ProfileMenu.svelte')),
  room: new Layer(() => import('./chats/RoomMenu.svelte')),
  line: new Layer(() => import('./timeline/LineLayers.svelte')),
  emoji: new Layer(() => import('./emoji/EmojiPopover.svelte')),
}
