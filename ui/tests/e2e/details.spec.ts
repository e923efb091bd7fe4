import { expect, test } from './kith'

test('a group: members, roles, adding, removing, name and topic, leaving', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/launch')
  await page.getByRole('button', { name: 'Details', exact: true }).click()
  const panel = page.locator('.panel')
  await expect(panel.getByText('Jonas Weber')).toBeVisible()
  await kith.isAccessible()

  await panel.getByRole('button', { name: 'Change name and topic' }).click()
  await expect(panel.getByLabel('Name')).toBeFocused()
  await panel.getByLabel('Name').fill('Winter release')
  await panel.getByLabel('Topic').fill('What comes next')
  await panel.getByRole('button', { name: 'Save' }).click()
  await expect(panel.getByRole('heading', { name: 'Winter release' })).toBeVisible()
  await expect(page.locator('.chat header')).toContainText('What comes next')

  await panel.getByRole('button', { name: 'Add', exact: true }).click()
  await page.keyboard.type('han')
  await panel.getByRole('button', { name: 'Add Hanna Koskinen' }).click()
  await page.keyboard.press('Escape')
  await expect(panel.getByRole('listitem').filter({ hasText: 'Hanna Koskinen' })).toBeVisible()
  await expect(panel).toBeVisible()

  await panel.getByRole('button', { name: 'What to do about Hanna Koskinen' }).click()
  await page.getByRole('menuitem', { name: 'Make Admin' }).click()
  await expect(panel.getByRole('listitem').filter({ hasText: 'Hanna Koskinen' })).toContainText('Admin')

  await panel.getByRole('button', { name: 'What to do about Hanna Koskinen' }).click()
  await page.getByRole('menuitem', { name: 'Remove from the group' }).click()
  await panel.getByRole('button', { name: 'Remove', exact: true }).click()
  await expect(panel.getByRole('listitem').filter({ hasText: 'Hanna Koskinen' })).toBeHidden()

  await panel.getByRole('button', { name: 'Leave the group' }).click()
  await kith.isAccessible()
  await panel.getByRole('button', { name: 'Leave', exact: true }).click()
  await expect(page.locator('[data-room="home/launch"]')).toBeHidden()
})

test('mutes for a time, and takes it back', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  await page.getByRole('button', { name: 'Details', exact: true }).click()
  const panel = page.locator('.panel')
  const mute = panel.getByRole('combobox', { name: 'Notifications' })
  await mute.click()
  await page.getByRole('option', { name: 'Mute for 8 hours' }).click()
  await expect(mute).toContainText('Muted until')
  await mute.click()
  await page.getByRole('option', { name: 'Unmute', exact: true }).click()
  await expect(mute).toContainText('On')
})

test('a person: handle, fingerprint to compare, and a proof of what is here', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  await page.getByRole('button', { name: 'Details', exact: true }).click()
  const panel = page.locator('.panel')
  await expect(panel.getByText('@jonas')).toBeVisible()
  await panel.getByRole('button', { name: 'They are the same' }).click()
  await expect(panel.getByText('You have compared this account')).toBeVisible()
  await kith.chat('home/amina')
  await expect(panel.getByText('You have compared this account')).toBeHidden()
  await kith.chat('home/jonas')
  await expect(panel.getByText('You have compared this account')).toBeVisible()
  await panel.getByRole('button', { name: 'Check' }).click()
  await expect(panel.getByText('none was changed')).toBeVisible()
  await kith.isAccessible()
  await panel.getByRole('button', { name: 'Pin', exact: true }).click()
  await expect(panel.getByRole('button', { name: 'Unpin' })).toBeVisible()
})

for (const [name, query] of [
  ['light', ''],
  ['arabic', '&language=ar'],
] as const)
  test(`looks right, ${name}`, async ({ kith, page }) => {
    await kith.open(query)
    await kith.chat('home/launch')
    await page.locator('main header button').last().click()
    await expect(page.locator('.panel li').first()).toBeVisible()
    await page.mouse.move(600, 400)
    await expect(page.locator('.panel')).toHaveScreenshot(`details-${name}.png`)
  })
