// Prints, as JSON, what AsyncAPI's own parser makes of each document: `node parse.mjs FILE...`.
import { Parser, fromFile } from '@asyncapi/parser'

const parser = new Parser()

async function parsed(file) {
  const { document, diagnostics } = await fromFile(parser, file).parse()
  return {
    faults: diagnostics
      // 3.0.0 is meant: that there is a newer version is no fault
      .filter(({ code }) => code !== 'asyncapi-latest-version')
      .map(({ code, message, path }) => ({ code, message, path: path.join('/') })),
    channels: document?.allChannels().all().map((channel) => ({
      address: channel.address(),
      messages: channel.messages().all().map((message) => ({
        contentType: message.contentType(),
        title: message.payload().json().title,
        headers: message.headers().json().required,
        key: message.bindings().get('kafka').json().key.type,
        examples: message.examples().all().map((example) => example.payload().type),
      })),
    })),
  }
}

console.log(JSON.stringify(await Promise.all(process.argv.slice(2).map(parsed))))
