import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { MillraceError } from '@millrace/event'

/** The tokens that a demo needs. */
type DemoSecret = 'INTAKE_TOKEN' | 'SERVICE_TOKEN' | 'CONSOLE_TOKEN'

/**
 * Finds tokens in the environment, else in the system's `secrets.json`.
 *
 * @throws MillraceError `settings.invalid`
 */
export function demoSecrets(env: NodeJS.ProcessEnv, home: string): (name: DemoSecret) => string {
  return (name) => {
    const given = env[name]
    if (given !== undefined && given !== '') return given
    const file = path.join(home, 'secrets.json')
    if (!existsSync(file))
      throw new MillraceError(
        'settings.invalid',
        `There is no ${file}: start the system by npm start, or set ${name}, --home or MILLRACE_HOME`,
      )
    const { [name]: token } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Record<DemoSecret, string>>
    if (token === undefined) throw new MillraceError('settings.invalid', `${file} holds no ${name}; set it`)
    return token
  }
}
