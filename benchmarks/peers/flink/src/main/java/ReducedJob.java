import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.OffsetDateTime;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.AbstractDeserializationSchema;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * The reduced job (benchmarks/peers/reduced.py) in Flink: heap state, object reuse, one task slot, a checkpoint
 * every ten seconds, alerts to Kafka. Ends when all events have been read and the sink has had a checkpoint.
 */
public class ReducedJob {
  static final long CONTINUOUS_S = 4 * 3600, DAY_S = 8 * 3600, REST_S = 20 * 60;
  static final long OFFSET_S = 8 * 3600, WHOLE_DAY_S = 86_400;
  static final AtomicLong READ = new AtomicLong();
  static volatile long beganNs, beganCpuNs, endedNs, endedCpuNs;

  public static class Event {
    public String rider;
    public String order;
    public long at;
    /** 1 begins an order, -1 ends one, 0 is neither. */
    public int turn;

    public Event() {}
  }

  public static class Rider {
    public long at, rest, shift, day, today;
    public int open;
    public String[] orders = new String[4];

    public Rider() {}
  }

  static long cpuNs() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }

  public static class Parse implements FlatMapFunction<byte[], Event> {
    private static final JsonFactory JSON = new JsonFactory();

    @Override
    public void flatMap(byte[] value, Collector<Event> out) throws Exception {
      if (beganNs == 0) {
        beganCpuNs = cpuNs();
        beganNs = System.nanoTime();
      }
      Event one = new Event();
      String type = "", time = "", order = null, platform = "";
      try (JsonParser parser = JSON.createParser(value)) {
        parser.nextToken();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String name = parser.currentName();
          parser.nextToken();
          switch (name) {
            case "rider_id": one.rider = parser.getText(); break;
            case "type": type = parser.getText(); break;
            case "event_time": time = parser.getText(); break;
            case "order_id": order = parser.getText(); break;
            case "platform": platform = parser.getText(); break;
            default: break;
          }
        }
      }
      if (order != null) {
        one.at = OffsetDateTime.parse(time).toEpochSecond();
        one.order = platform + "/" + order;
        one.turn = type.equals("order_accepted") ? 1
            : type.equals("order_delivered") || type.equals("order_cancelled") ? -1 : 0;
        out.collect(one);
      }
      if (READ.incrementAndGet() == Long.getLong("events")) {
        endedCpuNs = cpuNs();
        endedNs = System.nanoTime();
      }
    }
  }

  public static class Judge extends KeyedProcessFunction<String, Event, String> {
    private transient ValueState<Rider> riders;

    @Override
    public void open(OpenContext context) {
      riders = getRuntimeContext().getState(new ValueStateDescriptor<>("rider", TypeInformation.of(Rider.class)));
    }

    @Override
    public void processElement(Event one, Context context, Collector<String> out) throws Exception {
      Rider rider = riders.value();
      if (rider == null) {
        rider = new Rider();
      }
      if (rider.open > 0 && one.at > rider.at) {
        long passed = one.at - rider.at, today = (one.at + OFFSET_S) / WHOLE_DAY_S;
        if (today != rider.today) {
          rider.today = today;
          rider.day = 0;
        }
        tell(out, one, "continuous", rider.shift, rider.shift += passed, CONTINUOUS_S);
        tell(out, one, "day", rider.day, rider.day += passed, DAY_S);
      }
      int place = 0;
      while (place < rider.open && !rider.orders[place].equals(one.order)) {
        place++;
      }
      if (one.turn == 1 && place == rider.open) {
        if (rider.open == 0 && one.at - rider.rest >= REST_S) {
          rider.shift = 0;
        }
        if (rider.open == rider.orders.length) {
          rider.orders = java.util.Arrays.copyOf(rider.orders, 2 * rider.open);
        }
        rider.orders[rider.open++] = one.order;
      } else if (one.turn == -1 && place < rider.open) {
        rider.orders[place] = rider.orders[--rider.open];
        rider.orders[rider.open] = null;
        if (rider.open == 0) {
          rider.rest = one.at;
        }
      }
      rider.at = one.at;
      riders.update(rider);
    }

    private static void tell(
        Collector<String> out, Event one, String limit, long before, long after, long amount) {
      if (before < amount && after >= amount) {
        out.collect(
            "{\"rider_id\":\"" + one.rider + "\",\"limit\":\"" + limit + "\",\"at_s\":" + one.at + "}");
      }
    }
  }

  public static class Bytes extends AbstractDeserializationSchema<byte[]> {
    @Override
    public byte[] deserialize(byte[] message) {
      return message;
    }
  }

  public static void main(String[] arguments) throws Exception {
    String broker = System.getProperty("broker");
    Configuration settings = new Configuration();
    settings.setString("pipeline.object-reuse", "true");
    settings.setString("execution.checkpointing.interval", "10s");
    settings.setString("execution.checkpointing.dir", System.getProperty("checkpoints"));
    StreamExecutionEnvironment job = StreamExecutionEnvironment.createLocalEnvironment(1, settings);
    KafkaSource<byte[]> source = KafkaSource.<byte[]>builder()
        .setBootstrapServers(broker)
        .setTopics(System.getProperty("source"))
        .setGroupId("peer-flink")
        .setStartingOffsets(OffsetsInitializer.earliest())
        .setBounded(OffsetsInitializer.latest())
        .setProperty("max.poll.records", "5000")
        .setProperty("fetch.max.bytes", String.valueOf(16 << 20))
        .setProperty("max.partition.fetch.bytes", String.valueOf(4 << 20))
        .setValueOnlyDeserializer(new Bytes())
        .build();
    KafkaSink<String> sink = KafkaSink.<String>builder()
        .setBootstrapServers(broker)
        .setRecordSerializer(KafkaRecordSerializationSchema.<String>builder()
            .setTopic(System.getProperty("sink"))
            .setValueSerializationSchema(new SimpleStringSchema())
            .build())
        .build();
    job.fromSource(source, WatermarkStrategy.noWatermarks(), "events")
        .flatMap(new Parse()).returns(Event.class)
        .keyBy(one -> one.rider)
        .process(new Judge())
        .sinkTo(sink);
    job.execute();
    System.out.printf(
        "{\"events\": %d, \"seconds\": %f, \"cpu_seconds\": %f}%n",
        READ.get(), (endedNs - beganNs) / 1e9, (endedCpuNs - beganCpuNs) / 1e9);
    System.out.flush();
    System.exit(0);
  }
}
