// Prints the alerts of alerts.v1, one line each, and goes on where it stopped.
//
//     npm ci
//     node alerts.mjs HOST:PORT[,HOST:PORT...] [FILE]
//
// FILE (positions.json) keeps the last position taken from each partition. We keep it ourselves, and commit no offsets to
// Kafka, because an offset does not tell whether the log still is the one we read: `previous` does, and to judge it we
// must know the position that we took last. The offset in the file only says where to begin reading.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { Consumer, stringDeserializer } from '@platformatic/kafka'

const TOPIC = 'alerts.v1'
const KNOWN = 'urn:intabaza:schema:alert.issued:1'
const LEVELS = ['calm', 'watch', 'tension', 'alert', 'crisis']

const [brokers, file = 'positions.json'] = process.argv.slice(2)
if (!brokers) {
  console.error('Say where Kafka is: node alerts.mjs HOST:PORT [FILE]')
  process.exit(2)
}

// Kafka away for longer than the client tries, or no such topic: let whatever runs this start it again.
process.on('uncaughtException', (error) => {
  console.error(`Ended: ${error.message} What was told is kept; start it again.`)
  process.exit(1)
})

const consumer = new Consumer({
  clientId: 'intabaza-alerts',
  groupId: `intabaza-alerts-${randomUUID()}`, // the client wants a group; one of our own gives us every partition
  bootstrapBrokers: brokers.split(','),
  deserializers: { headerKey: stringDeserializer, headerValue: stringDeserializer },
})

const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { partitions: {} }
const topicId = (await consumer.metadata({ topics: [TOPIC] })).topics.get(TOPIC).id
if (kept.topicId !== topicId) {
  // It was made anew and everything sent again: other offsets, the same positions. We drop what we took before.
  kept.topicId = topicId
  for (const each of Object.values(kept.partitions)) each.next = '0'
}

const records = await consumer.consume({
  topics: [TOPIC],
  mode: 'manual',
  offsets: Object.entries(kept.partitions).map(([partition, { next }]) => ({
    topic: TOPIC,
    partition: Number(partition),
    offset: BigInt(next),
  })),
  fallbackMode: 'earliest', // a partition without an offset of ours is read from its beginning
  autocommit: false,
})

for await (const record of records) {
  const link = linkOf(record)
  if (!link) {
    console.error(`Not ours, passed over: partition ${record.partition}, offset ${record.offset}.`)
    continue
  }
  const last = BigInt(kept.partitions[record.partition]?.position ?? 0)
  if (link.position <= last) continue // a repeat
  if (link.previous !== last) {
    console.error(
      `Stopped: in partition ${record.partition}, offset ${record.offset}, position ${link.position} follows ` +
        `${link.previous}, and the last one taken is ${last}. Something is missing or the log has forked: ask the ` +
        'deployment before you go on.',
    )
    process.exit(3)
  }
  tell(JSON.parse(record.value.toString()))
  // After it was told: whoever is killed in between tells it once more, under the same id, and loses none.
  keep(record.partition, link.position, record.offset + 1n)
}

// A record's position and the one before it; undefined for a record that has not exactly our three headers. Positions have
// up to 19 digits, more than a number of JavaScript holds: hence BigInt.
function linkOf({ headerEntries }) {
  const headers = new Map(headerEntries)
  const number = (name) => (/^(0|[1-9][0-9]{0,18})$/.test(headers.get(name)) ? BigInt(headers.get(name)) : undefined)
  const [position, previous] = [number('position'), number('previous')]
  const ours = headerEntries.length === 3 && headers.get('content-type') === 'application/cloudevents+json'
  return ours && previous < position ? { position, previous } : undefined
}

function tell({ id, mode, dataschema, data }) {
  if (dataschema !== KNOWN) {
    console.error(`A version that this program does not know, left alone: ${dataschema}, alert ${id}.`)
    return
  }
  const earnest = mode === 'actual' ? '' : `[${mode}] ` // only `actual` happened
  const level = (number) => `${number} ${LEVELS[number]}`
  const about = data.cancels ? `; withdraw ${data.cancels}` : data.updates ? `; updates ${data.updates}` : ''
  console.log(
    `${earnest}${data.on} ${data.unit_name} (${data.unit}) ${data.change}: ${level(data.from)} to ${level(data.to)}, ` +
      `${data.kinds.join(', ')}; alert ${id}${about}`,
  )
}

function keep(partition, position, next) {
  kept.partitions[partition] = { position: String(position), next: String(next) }
  writeFileSync(`${file}.new`, JSON.stringify(kept, null, 2), { flush: true })
  renameSync(`${file}.new`, file) // whole or not at all
}
