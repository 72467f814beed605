import { isIP } from 'node:net'

/** Where a server listens; `tls` when it speaks TLS. */
export interface ServerPlace {
  readonly path?: string
  readonly host?: string
  readonly port?: number
  readonly tls?: { readonly servername?: string }
}

/** A place, who asks there, and for which of its databases. */
export interface Server extends ServerPlace {
  readonly username?: string
  readonly password?: string
  readonly db?: number
}

/** Without the address itself: it may hold a password. */
const refusal = 'The address of Redis is redis://host:port/number, rediss://… for TLS, or unix:///path'

/**
 * Reads `redis://user:password@host:port/db`, `rediss://…` (TLS), `unix://user:password@/path/to/socket`, or a socket's
 * bare path. What has a meaning in addresses stands percent-encoded in names, passwords and paths of `unix://`.
 *
 * @throws TypeError for what is no such address, without repeating it
 */
export function serverOf(text: string): Server {
  if (text.startsWith('/')) return { path: text }
  // A login without a machine is no URL.
  const spelled = text.replace(/^unix:\/\/([^/]*@)\//, 'unix://$1localhost/')
  if (!URL.canParse(spelled)) throw new TypeError(refusal)
  const url = new URL(spelled)
  const login = {
    ...(url.username === '' ? {} : { username: decoded(url.username) }),
    ...(url.password === '' ? {} : { password: decoded(url.password) }),
  }
  if (url.protocol === 'unix:') {
    if (!['', 'localhost'].includes(url.hostname) || !url.pathname.startsWith('/'))
      throw new TypeError(refusal)
    return { ...login, path: decoded(url.pathname) }
  }
  const db = Number(url.pathname.slice(1) || 0)
  if (!['redis:', 'rediss:'].includes(url.protocol) || !Number.isInteger(db)) throw new TypeError(refusal)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1'
  return {
    ...login,
    host,
    port: Number(url.port || 6379),
    db,
    ...(url.protocol === 'rediss:' ? { tls: isIP(host) === 0 ? { servername: host } : {} } : {}),
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // Its own words would do, but it is no TypeError.
    throw new TypeError(refusal)
  }
}
