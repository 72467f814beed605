import { channel } from 'node:diagnostics_channel'
import { shadowChannel, type ShadowNews } from '@millrace/processor'
import { expect, it } from 'vitest'
import { Metrics } from '../metrics.ts'
import { shadowGauge } from './shadow-gauge.ts'

const told = (...fields: readonly (readonly [string, number])[]) => {
  const news: ShadowNews = { topic: 'offers', group: 'leads', fields: new Map(fields) }
  channel(shadowChannel).publish(news)
}

it('says what the last comparison of all keys has found, by field', async () => {
  const metrics = new Metrics()
  const end = shadowGauge(metrics)
  told(['low', 3], ['high', 0])
  expect(await metrics.text()).toContain('millrace_shadow_differences{group="leads",field="low"} 3')
  told(['low', 0], ['high', 0])
  expect(await metrics.text()).toContain('millrace_shadow_differences{group="leads",field="low"} 0')
  end()
  told(['low', 7])
  expect(await metrics.text()).not.toContain('} 7')
})
