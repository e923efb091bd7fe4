import { expect, test } from './kith'

test('a message is sent, stored and answered', async ({ kith }) => {
  await kith.open()
  await kith.chat('home/jonas')
  await kith.say('Hello **there**')
  await expect(kith.line('Hello there').locator('strong')).toHaveText('there')
  await expect(kith.field).toHaveValue('')
  await kith.fake((fake) => fake.receive('jonas', 'jonas', 'Hi Mira'))
  await expect(kith.line('Hi Mira')).toBeInViewport()
})

test('what is new is divided off, and read when it was seen', async ({ kith, page }) => {
  await kith.open()
  const row = page.locator('[data-room="home/amina"]')
  await expect(row).toHaveAccessibleName(/2 unread messages/)
  await kith.chat('home/amina')
  await expect(page.getByRole('separator', { name: 'New messages' })).toBeVisible()
  await expect(row).not.toHaveAccessibleName(/unread/)
})

test('the first screen is a chat, never an empty window', async ({ kith }) => {
  await kith.open()
  await expect(kith.lines.last()).toBeVisible()
})

test('older messages load above without a jump', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('work/design')
  await kith.log.hover()
  for (let page_ = 0; page_ < 12; page_++) {
    const moved = await page.evaluate(async () => {
      const log = document.querySelector('[role=log]') as HTMLElement
      // Behind the painting of a frame: what was put right before it was painted was never seen.
      const frame = () =>
        new Promise<void>((done) =>
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel()
            port1.onmessage = () => done()
            port2.postMessage(null)
          }),
        )
      log.scrollTop = Math.max(0, log.scrollTop - 700)
      for (let n = 0; n < 4; n++) await frame()
      const middle = [...log.querySelectorAll('[data-line]')].find(
        (line) => line.getBoundingClientRect().top > 200,
      ) as HTMLElement
      const id = middle.dataset['line'] ?? ''
      const before = middle.getBoundingClientRect().top
      let worst = 0
      for (let n = 0; n < 20; n++) {
        await frame()
        const now = log.querySelector(`[data-line="${CSS.escape(id)}"]`)?.getBoundingClientRect().top
        worst = Math.max(worst, now === undefined ? 9999 : Math.abs(now - before))
      }
      return worst
    })
    expect(moved, `page ${page_}`).toBeLessThanOrEqual(2)
  }
  const oldest = await kith.lines.first().innerText()
  expect(oldest).not.toContain('(99999)')
})

test('a long way up and down again, with a bounded number of lines and no jump', async ({ kith }) => {
  test.slow()
  await kith.open()
  await kith.chat('work/design')
  const travel = (towards: 'up' | 'down', pages: number) =>
    kith.log.evaluate(
      async (log, [towards, pages]) => {
        const frame = () =>
          new Promise<void>((done) =>
            requestAnimationFrame(() => {
              const { port1, port2 } = new MessageChannel()
              port1.onmessage = () => done()
              port2.postMessage(null)
            }),
          )
        let worst = 0
        for (let page = 0; page < pages; page++) {
          const edge = 400 + page
          // A busy browser draws frames before it tells of the scrolling.
          const told = new Promise((done) => log.addEventListener('scroll', done, { once: true }))
          const from = log.scrollTop
          log.scrollTop = towards === 'up' ? edge : log.scrollHeight - log.clientHeight - edge
          if (log.scrollTop !== from) await told
          for (let n = 0; n < 3; n++) await frame()
          const lines = [...log.querySelectorAll<HTMLElement>('[data-line]')]
          const seen = lines.find((line) => line.getBoundingClientRect().top > 250)
          const before = seen?.getBoundingClientRect().top ?? 0
          for (let n = 0; n < 6; n++) {
            await frame()
            worst = Math.max(worst, Math.abs((seen?.getBoundingClientRect().top ?? 9999) - before))
          }
        }
        return { worst, line: log.querySelector<HTMLElement>('[data-line]')?.dataset['line'] }
      },
      [towards, pages] as const,
    )
  const up = await travel('up', 32)
  expect(up.worst).toBeLessThanOrEqual(2)
  expect(Number(up.line?.split('.')[1])).toBeLessThan(98_600)
  const down = await travel('down', 32)
  expect(down.worst).toBeLessThanOrEqual(2)
  await expect(kith.line('(100000)')).toBeVisible()
})

test('the place is kept per chat', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('work/design')
  await kith.log.evaluate(async (log) => {
    for (let n = 0; n < 8; n++) {
      log.scrollTop -= 900
      await new Promise((done) => setTimeout(done, 60))
    }
  })
  const topLine = () =>
    kith.log.evaluate((log) => {
      const edge = log.getBoundingClientRect().top
      const line = [...log.querySelectorAll<HTMLElement>('[data-line]')].find(
        (line) => line.getBoundingClientRect().bottom > edge + 1,
      )
      return { id: line?.dataset['line'], top: Math.round(line?.getBoundingClientRect().top ?? 0) }
    })
  await page.waitForTimeout(100)
  const before = await topLine()
  await kith.chat('home/jonas')
  await kith.chat('work/design')
  await expect.poll(async () => (await topLine()).id).toBe(before.id)
  expect(Math.abs((await topLine()).top - before.top)).toBeLessThanOrEqual(3)
})

test('jump to newest shows how many are new, and goes there', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('work/design')
  await kith.log.evaluate((log) => (log.scrollTop -= 1500))
  const button = page.getByRole('button', { name: /Jump to the newest/ })
  await expect(button).toBeVisible()
  await kith.fake((fake) => {
    fake.receive('design', 'jonas', 'first new one')
    fake.receive('design', 'jonas', 'second new one')
  })
  await expect(button).toHaveText(/2/)
  await button.click()
  await expect(kith.line('second new one')).toBeInViewport()
  await expect(button).toBeHidden()
  await expect(kith.field).toBeFocused()
})

test('a reply leads to what it answers', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/launch')
  await kith.log.evaluate((log) => (log.scrollTop = 0))
  await kith.log.evaluate((log) => (log.scrollTop = log.scrollHeight))
  await page.getByRole('button', { name: /Answers You Queue is done/ }).click()
  await expect(page.locator('[data-line="launch.15"]')).toHaveClass(/lit/)
})

test('reactions: by the picker, by a click, and taken back', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  const line = kith.line('Pictures or it did not happen')
  await line.hover()
  await line.getByRole('button', { name: 'React' }).click()
  await page.getByRole('textbox', { name: 'Search emoji' }).fill('rocket')
  await page.keyboard.press('Enter')
  const reaction = line.getByRole('button', { name: '🚀 from You' })
  await expect(reaction).toHaveAttribute('aria-pressed', 'true')
  await expect(page.getByRole('textbox', { name: 'Search emoji' })).toBeHidden()
  await kith.rests()
  await reaction.click()
  await expect(reaction).toBeHidden()
})

test('the skin tone is chosen once, and kept', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  await page.getByRole('button', { name: 'Emoji', exact: true }).click()
  await expect(page.getByRole('textbox', { name: 'Search emoji' })).toBeFocused()
  await page.getByRole('button', { name: 'Skin tone: none' }).click()
  await expect(page.getByRole('radio', { name: 'none' })).toBeFocused()
  await page.keyboard.press('ArrowRight')
  await expect(page.getByRole('radio', { name: 'light', exact: true })).toBeFocused()
  await page.getByRole('radio', { name: 'medium-dark' }).click()
  await expect(page.getByRole('button', { name: 'Skin tone: medium-dark' })).toBeFocused()
  await kith.isAccessible('.picker')
  await page.getByRole('textbox', { name: 'Search emoji' }).fill('waving hand')
  await page.keyboard.press('Enter')
  await expect(kith.field).toHaveValue('👋🏾')
  await kith.field.fill('')
  await kith.field.pressSequentially(':wave')
  await kith.field.press('Tab')
  await expect(kith.field).toHaveValue('👋🏾 ')
})

test('offline: written now, shown as waiting, sent later in order', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  await kith.fake((fake) => fake.goOffline())
  await expect(page.getByText('Offline.')).toBeVisible()
  await kith.say('one')
  await kith.say('two')
  await expect(kith.line('two').getByRole('img', { name: 'Waits for the connection' })).toBeVisible()
  await kith.fake((fake) => fake.goOnline())
  await expect(kith.log.getByRole('img', { name: 'Waits for the connection' })).toHaveCount(0)
  await expect(kith.lines.nth(-2)).toContainText('one')
  await expect(kith.lines.last()).toContainText('two')
})

test('refused: said why, retried or discarded', async ({ kith }) => {
  await kith.open()
  await kith.chat('home/jonas')
  await kith.fake((fake) => fake.failNext())
  await kith.say('not welcome')
  const line = kith.line('not welcome')
  await expect(line).toContainText('You have no right to do that here')
  await line.getByRole('button', { name: 'Try again' }).click()
  await expect(line).not.toContainText('You have no right')
  await kith.fake((fake) => fake.failNext())
  await kith.say('again')
  await kith.line('again').getByRole('button', { name: 'Discard' }).click()
  await expect(kith.lines.filter({ hasText: 'again' })).toHaveCount(0)
})

test('each action of the menu works by keyboard alone', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  await kith.field.press('Shift+Tab')
  // From the field back over the button to the newest message.
  await page.keyboard.press('F6')
  await kith.lines.last().focus()
  await page.keyboard.press('ArrowUp')
  await expect(kith.line('Yes, 19:30')).toBeFocused()
  await page.keyboard.press('r')
  await expect(page.getByText('Reply to Jonas Weber')).toBeVisible()
  await page.keyboard.press('Escape')
  await kith.line('Yes, 19:30').focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menu')).toBeVisible()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Escape')
  await expect(kith.line('Yes, 19:30')).toBeFocused()
  await page.keyboard.press('c')
  expect(await page.evaluate(() => window.fake.clipboard)).toBe(
    'Yes, 19:30, the place by the harbour. I booked for four.',
  )
  await kith.line('Are we still on').focus()
  await page.keyboard.press('Delete')
  await expect(page.getByRole('button', { name: 'Delete for everyone' })).toBeFocused()
  await kith.isAccessible()
  await page.keyboard.press('Escape')
  await expect(kith.line('Are we still on')).toBeFocused()
  await page.keyboard.press('Delete')
  await expect(page.getByRole('button', { name: 'Delete for everyone' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(kith.lines.filter({ hasText: 'This message was deleted' })).toHaveCount(1)
})

test('keys that are quicker than the menu reach the menu', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  const line = kith.line('Are we still on')
  await line.focus()
  // Nothing is waited for: whoever knows the menu does not look at it.
  await page.keyboard.press('Enter')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('menu')).toBeHidden()
  await expect(line).toBeFocused()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Home')
  await page.keyboard.press('Enter')
  await page.getByRole('textbox', { name: 'Search emoji' }).fill('rocket')
  await page.keyboard.press('Enter')
  await expect(line.getByRole('button', { name: '🚀 from You' })).toBeVisible()
  await expect(line).toBeFocused()
})

test('hostile messages stay inside their lines, and run nothing', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('work/hostile')
  await expect(kith.line('<script>alert(1)</script>')).toBeVisible()
  await expect(kith.log.locator('img:not([aria-hidden]), script, iframe, object')).toHaveCount(0)
  await expect(kith.log.locator('a[href^="javascript"], a[href^="file"]')).toHaveCount(0)
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
  expect(await kith.log.evaluate((log) => log.scrollWidth <= log.clientWidth)).toBe(true)
})

test('a link opens in the system, not here', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/launch')
  await page.getByRole('link', { name: /review.fjord.example/ }).click()
  expect(await page.evaluate(() => window.fake.opened)).toEqual(['https://review.fjord.example/r/418'])
  expect(new URL(page.url()).pathname).toBe('/')
})

test('code is coloured, and copied with one button', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/launch')
  await kith.log.evaluate((log) => (log.scrollTop = 0))
  await expect(kith.log.locator('.s-keyword').first()).toBeVisible()
  const copy = page.getByRole('button', { name: 'Copy', exact: true })
  await kith.toLine(copy)
  await copy.click()
  await expect.poll(() => page.evaluate(() => window.fake.clipboard)).toContain('pub fn append')
})

test('whoever looks at the end goes on doing so when the window changes', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/launch')
  const below = () => kith.log.evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight)
  await expect.poll(below).toBeLessThan(2)
  await page.setViewportSize({ width: 860, height: 560 })
  await expect.poll(below).toBeLessThan(2)
  await page.getByRole('button', { name: 'Details', exact: true }).last().click()
  await page.setViewportSize({ width: 1280, height: 800 })
  await expect(page.locator('[data-region="panel"]')).toBeVisible()
  await expect.poll(below).toBeLessThan(2)
  await kith.field.fill('a\nb\nc\nd\ne')
  await expect.poll(below).toBeLessThan(2)
})
