import { expect, test, type Kith } from './kith'

/** The main views, as they are meant to look. `npx playwright test pictures --update-snapshots` takes them anew. */
async function settle(kith: Kith): Promise<void> {
  await kith.page.evaluate(() => document.fonts.ready)
  await kith.page.mouse.move(640, 795)
  // A read message, a highlighted text: whatever was begun is done.
  await kith.page.waitForFunction(() => document.getAnimations().every((one) => one.playState !== 'running'))
}

/** Scrolls through all of a chat, so that each line has been measured: what is guessed is off by a pixel. */
async function measure(kith: Kith): Promise<void> {
  await kith.log.evaluate(async (log) => {
    const frame = () => new Promise((done) => requestAnimationFrame(done))
    for (const place of [0, 300, 600, 900, 1200, 1500, 1800, 1e6, 0, 1e6]) {
      log.scrollTop = place
      for (let n = 0; n < 3; n++) await frame()
    }
  })
}

for (const scheme of ['light', 'dark'] as const) {
  test.describe(scheme, () => {
    test.use({ colorScheme: scheme })

    test('main view', async ({ kith, page }) => {
      await kith.open()
      await kith.chat('home/launch')
      await measure(kith)
      await settle(kith)
      await expect(page).toHaveScreenshot(`main-${scheme}.png`)
    })

    test('code, lists and quotes', async ({ kith, page }) => {
      await kith.open()
      await kith.chat('home/launch')
      await measure(kith)
      await kith.log.evaluate((log) => (log.scrollTop = 420))
      await expect(page.locator('.s-keyword').first()).toBeVisible()
      await settle(kith)
      await expect(page).toHaveScreenshot(`code-${scheme}.png`)
    })

    test('right to left', async ({ kith, page }) => {
      await kith.open('&language=ar')
      await kith.chat('home/amina')
      await settle(kith)
      await expect(page).toHaveScreenshot(`right-to-left-${scheme}.png`)
    })

    test('emoji', async ({ kith, page }) => {
      await kith.open()
      await kith.chat('home/jonas')
      await page.getByRole('button', { name: 'Emoji', exact: true }).click()
      await expect(page.getByRole('button', { name: 'grinning face', exact: true })).toBeVisible()
      await settle(kith)
      await expect(page).toHaveScreenshot(`emoji-${scheme}.png`)
    })

    test('offline, waiting and refused', async ({ kith, page }) => {
      await kith.open()
      await kith.chat('home/jonas')
      await kith.fake((fake) => fake.failNext())
      await kith.say('This one was refused')
      await expect(page.getByText('You have no right')).toBeVisible()
      await kith.fake((fake) => fake.goOffline())
      await kith.say('And this one waits for the network')
      await expect(page.getByRole('img', { name: 'Waits for the connection' })).toBeVisible()
      await settle(kith)
      await expect(page).toHaveScreenshot(`offline-${scheme}.png`)
    })

    test('high contrast', async ({ kith, page }) => {
      await page.emulateMedia({ contrast: 'more' })
      await kith.open()
      await kith.chat('home/launch')
      await measure(kith)
      await settle(kith)
      await expect(page).toHaveScreenshot(`contrast-${scheme}.png`)
    })
  })
}

test('a narrow window', async ({ kith, page }) => {
  await page.setViewportSize({ width: 440, height: 800 })
  await kith.open()
  await expect(kith.lines.last()).toBeVisible()
  await settle(kith)
  await expect(page).toHaveScreenshot('narrow.png')
})
