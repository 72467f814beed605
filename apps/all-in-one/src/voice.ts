import { createLogger } from '@millrace/service'
import type { Settings } from './settings.ts'

/** Says something to whoever runs the system. */
export type Say = (sentence: string) => void

/** Plain sentences for a person, log lines for a machine. */
export function voiceOf(settings: Pick<Settings, 'LOG_FORMAT'>): Say {
  if (settings.LOG_FORMAT === 'pretty') return (sentence) => console.log(sentence)
  const logger = createLogger({ service: 'supervisor' })
  return (sentence) => logger.info(sentence)
}
