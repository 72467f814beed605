import type { Seeded } from './seeded.ts'

/** Somebody who signs up. */
export interface Person {
  readonly username: string
  /** As typed; different for each `n`. */
  readonly email: string
}

/** Names as people write them, and what they put before the @. */
const names: readonly (readonly [username: string, local: string])[] = [
  ['Ada Lovelace', 'ada.lovelace'],
  ['José Núñez', 'josé.núñez'],
  ['Zoë Müller', 'zoe_mueller'],
  ['Łukasz Żółć', 'łukasz'],
  ['Søren Ågård', 'søren.ågård'],
  ['Þórdís Jónsdóttir', 'thordis'],
  ['Σωκράτης Παπαδόπουλος', 'σωκράτης'],
  ['Иван Петров', 'иван.петров'],
  ['Олена Шевченко', 'olena-sh'],
  ['王小明', '王小明'],
  ['佐藤 花子', 'hanako'],
  ['김민수', '민수'],
  ['محمد علي', 'm.ali'],
  ['דנה כהן', 'dana.cohen'],
  ['अनिल कुमार', 'अनिल'],
  ['สมชาย ใจดี', 'somchai'],
  ['Nguyễn Văn An', 'nguyễn.an'],
  ['Siobhán Ní Bhriain', 'siobhán'],
  ['D’Arcy O’Neill', "d'arcy"],
  ['Mary-Jane van der Berg', 'mj+news'],
  ['Çağla Özdemir', 'çağla'],
  ['👩‍🚀 Valentina', 'valentina'],
  ['Ñandú Quispe', 'ñandú'],
  ['Ngozi Adichie', 'ngozi'],
]

const hosts = [
  'example.org',
  'example.com',
  'mail.example.net',
  'bücher.example',
  'почта.example',
  '例え.example',
  'παράδειγμα.example',
  'xn--mnchen-3ya.example',
  'post.københavn.example',
]

/** Makes up a person; `tag` and `n` keep the address apart from all others. */
export function person(random: Seeded, tag: string, n: number): Person {
  const [username, local] = random.pick(names)
  const mark = `${tag}${n.toString(36)}`
  const [name = '', plus] = local.split('+')
  return {
    username,
    email: `${name}.${mark}${plus === undefined ? '' : `+${plus}`}@${random.pick(hosts)}`.normalize('NFC'),
  }
}
