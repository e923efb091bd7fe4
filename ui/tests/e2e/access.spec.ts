import { expect, test } from './kith'

for (const scheme of ['light', 'dark'] as const) {
  test.describe(scheme, () => {
    test.use({ colorScheme: scheme })

    test('axe finds nothing in the main view', async ({ kith, page }) => {
      await kith.open()
      await kith.isAccessible()
      await kith.chat('home/launch')
      await kith.isAccessible()
      await kith.log.evaluate((log) => (log.scrollTop = 0))
      await expect(page.locator('.s-keyword').first()).toBeVisible()
      await kith.isAccessible()
    })

    test('axe finds nothing in menus, pickers and completions', async ({ kith, page }) => {
      await kith.open()
      await kith.chat('home/jonas')
      await kith.line('Yes, 19:30').click({ button: 'right' })
      await expect(page.getByRole('menu')).toBeVisible()
      await kith.isAccessible()
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Emoji', exact: true }).click()
      await expect(page.getByRole('button', { name: 'grinning face', exact: true })).toBeVisible()
      await kith.isAccessible('.picker')
      await page.keyboard.press('Escape')
      await kith.field.pressSequentially('hi @jo')
      await expect(page.getByRole('option')).toBeVisible()
      await kith.isAccessible()
    })

    test('axe finds nothing when things go wrong', async ({ kith, page }) => {
      await kith.open()
      await kith.chat('home/jonas')
      await kith.fake((fake) => {
        fake.failNext()
      })
      await kith.say('refused')
      await expect(page.getByText('You have no right to do that here')).toBeVisible()
      await kith.fake((fake) => {
        fake.goOffline()
        fake.tell([
          {
            kind: 'trouble',
            profile: 'home',
            trouble: { kind: 'wrongClock', message: '', room: null, handle: null },
          },
        ])
      })
      await expect(page.getByText('The clock of this computer is wrong')).toBeVisible()
      await kith.isAccessible()
    })
  })
}

test('axe finds nothing right to left', async ({ kith }) => {
  await kith.open('&language=ar')
  await kith.chat('home/amina')
  await kith.isAccessible()
})

test('focus is always visible', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  for (let step = 0; step < 25; step++) {
    await page.keyboard.press('Tab')
    const seen = await page.evaluate(() => {
      const focused = document.activeElement
      if (!focused || focused === document.body) return true
      const { outlineStyle, outlineWidth } = getComputedStyle(focused)
      const box = focused.matches('textarea')
        ? getComputedStyle(focused.closest('.box') ?? focused).boxShadow
        : 'none'
      return (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || box !== 'none'
    })
    expect(seen, await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 120) ?? '')).toBe(true)
  }
})

test('at 200 % text nothing is cut off sideways', async ({ kith, page }) => {
  await kith.open()
  await page.evaluate(() => (document.documentElement.style.fontSize = '200%'))
  await expect(kith.lines.last()).toBeVisible()
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
  expect(await kith.log.evaluate((log) => log.scrollWidth <= log.clientWidth)).toBe(true)
  await expect(kith.field).toBeInViewport()
  await page.getByRole('button', { name: 'Back to the chats' }).click()
  await expect(page.locator('[data-room="home/amina"]')).toBeInViewport()
})

test('who wants less motion gets none', async ({ kith, page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await kith.open()
  await kith.chat('home/jonas')
  await kith.say('still')
  const longest = await page.evaluate(() =>
    Math.max(
      0,
      ...document.getAnimations().map((animation) => Number(animation.effect?.getTiming().duration ?? 0)),
    ),
  )
  expect(longest).toBeLessThanOrEqual(1)
})
