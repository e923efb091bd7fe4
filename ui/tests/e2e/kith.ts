import { expect, test as base, type Locator, type Page } from '@playwright/test'
import axe, { type AxeResults } from 'axe-core'

/** What the pretended backend lets a test do; see `fake.ts`. */
interface Fake {
  receive(room: string, handle: string, text: string): void
  typingBy(room: string, handle: string): void
  readBy(room: string, handle: string): void
  goOffline(): void
  goOnline(): void
  failNext(): void
  /** From now on the other device confirms when it is told to, not by itself. */
  holdOtherDevice(): void
  confirmOnOtherDevice(): void
  tell(updates: unknown[]): void
  relayAnnounce(profile: string, text: string, forS: number | null): Promise<unknown>
  crowd(count: number): void
  forgetPlaces(): void
  pushError: string | null
  access: string
  newer: { version: string; notes: string } | null
  installFails: string | null
  tellRelease(release: unknown): void
  opened: string[]
  clipboard: string
}

/** How many times slower than this machine the browser is; a race that a busy machine would show fails then. */
const SLOWED = Number(process.env['KITH_SLOWED'] ?? 1)

declare global {
  interface Window {
    fake: Fake
  }
}

/** The pages of the settings, as they are named in the window. */
export const SETTINGS_PAGES = [
  'Profile',
  'Devices',
  'Notifications',
  'Appearance',
  'Start and tray',
  'Language',
  'Storage',
  'Connection',
  'About',
  'People',
  'Invites',
  'Chats',
  'Integrations',
  'Announcement',
  'Sessions',
  'Audit log',
]

export class Kith {
  constructor(readonly page: Page) {}

  /** `query` is what `lib/backend/index.ts` reads: empty, language, delay. */
  async open(query = ''): Promise<void> {
    await this.page.clock.install({ time: new Date('2026-09-16T14:20:00+02:00') })
    if (SLOWED > 1) await this.slowDown()
    await this.page.goto(`/?quiet&delay=20${query}`)
    // Either the chats or the first run: each has its own main part, and comes when it was loaded.
    await this.page.locator('main').waitFor({ state: 'attached' })
  }

  async chat(key: string): Promise<void> {
    await this.page.locator(`[data-room="${key}"]`).click()
    await expect(this.page.locator(`[data-room="${key}"][aria-current="true"]`)).toHaveCount(1)
    await expect(this.log).toHaveAttribute('aria-busy', 'false')
    await expect(this.lines.first()).toBeVisible()
    await this.rests()
  }

  /** Fonts have come, lines were measured: what is clicked now stays under the pointer. */
  async rests(): Promise<void> {
    await this.log.evaluate(async (log) => {
      await document.fonts.ready
      let place = ''
      for (let same = 0; same < 4;) {
        await new Promise((done) => requestAnimationFrame(done))
        const now = `${log.scrollHeight} ${log.scrollTop}`
        // The list takes no clicks while it scrolls.
        const scrolls = log.querySelector('[style*="pointer-events: none"]') !== null
        same = now === place && !scrolls ? same + 1 : 0
        place = now
      }
    })
  }

  /** Scrolls the timeline to something, and until it rests there. */
  async toLine(what: Locator): Promise<void> {
    await what.evaluate(async (element) => {
      // A busy browser tells of the scrolling some frames later.
      const log = element.closest('[role=log]') as HTMLElement
      const told = new Promise((done) => log.addEventListener('scroll', done, { once: true }))
      const from = log.scrollTop
      element.scrollIntoView({ block: 'center' })
      if (log.scrollTop !== from) await told
    })
    await this.rests()
  }

  get log() {
    return this.page.getByRole('log')
  }

  get lines() {
    return this.page.locator('[data-line]')
  }

  get field() {
    return this.page.locator('textarea')
  }

  line(text: string) {
    return this.lines.filter({ hasText: text }).last()
  }

  async say(text: string): Promise<void> {
    await this.field.fill(text)
    await this.field.press('Enter')
  }

  fake<Argument>(act: (fake: Fake, argument: Argument) => unknown, argument?: Argument): Promise<void> {
    return this.page.evaluate(
      ([code, argument]) => {
        ;(new Function('fake', 'argument', `(${code})(fake, argument)`) as (...given: unknown[]) => void)(
          window.fake,
          argument,
        )
      },
      [act.toString(), argument] as const,
    )
  }

  /** The machine that shows races: a slower processor, and frames that come late. */
  private async slowDown(): Promise<void> {
    const devtools = await this.page.context().newCDPSession(this.page)
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: SLOWED })
    await this.page.addInitScript((frameMs) => {
      const frame = window.requestAnimationFrame.bind(window)
      const waiting = new Map<number, number>()
      let last = 0
      window.requestAnimationFrame = (callback) => {
        const id = ++last
        const timer = setTimeout(() => {
          waiting.delete(id)
          frame(callback)
        }, frameMs)
        waiting.set(id, Number(timer))
        return id
      }
      window.cancelAnimationFrame = (id) => clearTimeout(waiting.get(id))
    }, SLOWED * 15)
  }

  /** Nothing that axe finds wrong, of what a person would meet. */
  async isAccessible(within?: string): Promise<void> {
    await this.page.evaluate(axe.source)
    // What is still coming in is paler than it will be.
    await this.page.evaluate(async () => {
      const ends = (animation: Animation) => animation.effect?.getTiming().iterations !== Infinity
      // One that is taken back was not waited for in vain.
      await Promise.allSettled(
        document
          .getAnimations()
          .filter(ends)
          .map(({ finished }) => finished),
      )
    })
    const found = await this.page.evaluate(async (within) => {
      const { axe } = window as unknown as { axe: { run(within: unknown): Promise<AxeResults> } }
      const { violations } = await axe.run(within ?? document)
      return violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`,
      )
    }, within)
    expect(found).toEqual([])
  }
}

export const test = base.extend<{ kith: Kith }>({
  kith: async ({ page }, use) => {
    const wrong: string[] = []
    page.on('pageerror', (error) => wrong.push(error.message))
    // A word of the content security policy is a failure too.
    page.on('console', (message) => {
      if (message.type() === 'error') wrong.push(message.text())
    })
    page.on('request', (request) => {
      if (!/^(http:\/\/127\.0\.0\.1|data:|blob:)/.test(request.url())) wrong.push(`loaded ${request.url()}`)
    })
    await use(new Kith(page))
    expect(wrong).toEqual([])
  },
})

export { expect }
