import { expect, test } from './kith'

test('the end is followed past a message that is higher than the window', async ({ kith }) => {
  await kith.open()
  await kith.chat('home/launch')
  const below = () => kith.log.evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight)
  const tall = Array.from({ length: 90 }, (_, n) => `Paragraph ${n}`).join('\n\n')
  for (const [who, text] of [
    ['jonas', `${tall}\n\nfirst`],
    ['jonas', 'after it'],
    ['amina', `${tall}\n\nsecond`],
    ['jonas', 'the last one'],
  ] as const) {
    await kith.fake((fake, [who, text]) => fake.receive('launch', who, text), [who, text] as const)
    await expect(kith.lines.last()).toContainText(text.split('\n').at(-1) ?? '')
    await expect.poll(below).toBeLessThan(2)
  }
  await kith.say(`${tall}\n\nmine`)
  await expect(kith.lines.last()).toContainText('mine')
  await expect.poll(below).toBeLessThan(2)
  await kith.say('mine too')
  await expect(kith.line('mine too')).toBeInViewport()
})

test('whoever says something looks at the end again', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('work/design')
  await kith.log.evaluate((log) => (log.scrollTop -= 2500))
  await expect(page.getByRole('button', { name: /Jump to the newest/ })).toBeVisible()
  await kith.say('here I am')
  await expect(kith.line('here I am')).toBeInViewport()
  await expect(page.getByRole('button', { name: /Jump to the newest/ })).toBeHidden()
})

test('what is too long for one message is said before it is sent, and goes in parts', async ({
  kith,
  page,
}) => {
  await kith.open()
  await kith.chat('home/jonas')
  const words = (from: number) => Array.from({ length: 9_000 }, (_, n) => `word${from + n}`).join(' ')
  await kith.field.fill(words(10_000))
  await expect(page.getByText('Too long for one message.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeDisabled()
  await kith.field.press('Enter')
  await expect(kith.field).not.toHaveValue('')
  await page.getByRole('button', { name: 'Send as 2 messages' }).click()
  await expect(kith.field).toHaveValue('')
  await expect(kith.lines.last()).toContainText('word18999')
  await expect(kith.lines.last()).not.toContainText('word10000')
})

test('nobody is shown as a reader of what they wrote', async ({ kith }) => {
  await kith.open()
  await kith.chat('home/jonas')
  await kith.fake((fake) => {
    fake.receive('jonas', 'jonas', 'read by whoever wrote it')
    fake.readBy('jonas', 'jonas')
  })
  await expect(kith.line('read by whoever')).toBeVisible()
  await expect(kith.line('read by whoever').getByRole('img')).toHaveCount(0)
  await kith.say('read by the other one')
  await expect(kith.line('read by the other').getByRole('img')).toHaveCount(0)
  await kith.fake((fake) => fake.readBy('jonas', 'jonas'))
  await expect(kith.line('read by the other').getByRole('img', { name: /Jonas/ })).toBeVisible()
})

test('only what somebody looked at is read', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  const row = page.locator('[data-room="home/jonas"]')
  await page.evaluate(() => window.dispatchEvent(new Event('blur')))
  await kith.fake((fake) => fake.receive('jonas', 'jonas', 'while you were away'))
  await expect(kith.line('while you were away')).toBeInViewport()
  await page.clock.runFor(3000)
  await expect(row).toHaveAccessibleName(/1 unread message/)
  await page.evaluate(() => window.dispatchEvent(new Event('focus')))
  await expect(row).not.toHaveAccessibleName(/unread/)
  // Whoever types is here, even if the window was never told that it has the focus.
  await page.evaluate(() => window.dispatchEvent(new Event('blur')))
  await kith.fake((fake) => fake.receive('jonas', 'jonas', 'and once more'))
  await expect(row).toHaveAccessibleName(/1 unread message/)
  await kith.field.press('a')
  await expect(row).not.toHaveAccessibleName(/unread/)
})
