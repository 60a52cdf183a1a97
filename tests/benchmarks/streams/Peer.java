import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The timeline and a count per commune in Kafka Streams, exactly once: RocksDB stores, each with its changelog.
 *
 * Arguments: bootstrap servers, application id, state folder, number of threads. Runs until SIGTERM. Each event is read
 * once by a streaming JSON parser, which takes what the timeline's rows hold in PostgreSQL, no more.
 */
public final class Peer {
    private static final JsonFactory JSON = new JsonFactory();

    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[2]);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, Integer.parseInt(arguments[3]));
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArray().getClass());
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArray().getClass());
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5000);

        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore("timeline"), Serdes.ByteArray(), Serdes.ByteArray()));
        builder.addStateStore(Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore("counts"), Serdes.String(), Serdes.Long()).withCachingEnabled());
        builder.<byte[], byte[]>stream("events.v1").process(Fold::new, "timeline", "counts");

        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close();
            ended.countDown();
        }));
        streams.start();
        ended.await();
    }

    private static final class Fold implements Processor<byte[], byte[], Void, Void> {
        private KeyValueStore<byte[], byte[]> timeline;
        private KeyValueStore<String, Long> counts;

        @Override
        public void init(ProcessorContext<Void, Void> context) {
            timeline = context.getStateStore("timeline");
            counts = context.getStateStore("counts");
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            String sequence = null, subject = null, home = null, mode = null, type = "", time = "", role = "", by = "";
            int begin = 0, end = 0;
            byte[] event = record.value();
            try (JsonParser json = JSON.createParser(event)) {
                json.nextToken();
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    String name = json.currentName();
                    JsonToken value = json.nextToken();
                    if (value == JsonToken.START_OBJECT) {
                        begin = (int) json.currentTokenLocation().getByteOffset();
                        json.skipChildren();
                        end = (int) json.currentLocation().getByteOffset();
                        continue;
                    }
                    switch (name) {
                        case "sequence" -> sequence = json.getText();
                        case "subject" -> subject = json.getText();
                        case "partitionkey" -> home = json.getText();
                        case "mode" -> mode = json.getText();
                        case "type" -> type = json.getText();
                        case "time" -> time = json.getText();
                        case "actorrole" -> role = json.getText();
                        case "actorref" -> by = json.getText();
                        default -> { }
                    }
                }
            } catch (java.io.IOException error) {
                throw new IllegalStateException("no event", error);
            }
            if (!"actual".equals(mode) || !(subject.startsWith("case/") || subject.startsWith("report/"))) {
                return;
            }
            byte[] head = (type + ' ' + time + ' ' + role + ' ' + by + ' ').getBytes(StandardCharsets.UTF_8);
            byte[] row = Arrays.copyOf(head, head.length + end - begin);
            System.arraycopy(event, begin, row, head.length, end - begin);
            timeline.put((subject + '/' + sequence).getBytes(StandardCharsets.UTF_8), row);
            Long before = counts.get(home);
            counts.put(home, before == null ? 1L : before + 1L);
        }
    }
}
