import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import heddle.gateway.v1.GatewayServiceGrpc;
import heddle.gateway.v1.OpenSessionRequest;
import heddle.message.v1.Body;
import heddle.message.v1.Entry;
import heddle.message.v1.ListEntriesRequest;
import heddle.message.v1.MessageServiceGrpc;
import heddle.message.v1.SendRequest;
import heddle.message.v1.Text;
import heddle.push.v1.Accepted;
import heddle.push.v1.Ack;
import heddle.push.v1.ClientFrame;
import heddle.push.v1.Event;
import heddle.push.v1.Open;
import heddle.push.v1.Ping;
import heddle.push.v1.PushServiceGrpc;
import heddle.push.v1.ReceiptFrame;
import heddle.push.v1.Refused;
import heddle.push.v1.ServerFrame;
import heddle.thread.v1.SyncRequest;
import heddle.thread.v1.SyncResponse;
import heddle.thread.v1.Thread;
import heddle.thread.v1.ThreadServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * A Heddle client in one file: grpc-java, and stubs generated from proto/. Take it as a start for your own.
 *
 * <pre>
 *   make stubs LANG=java                       # from the root of Heddle: writes stubs/java
 *   cd docs/examples/java && mvn -q compile
 *   java -cp 'target/classes:target/libraries/*' Client bob
 * </pre>
 *
 * It speaks the lines of `bin/chat --json`: one JSON object a line, both ways. It prints every entry once, and takes
 *
 * <pre>
 *   {"to": "ann", "text": "hi"}     send a message
 *   {"to": "ann", "read_seq": 3}    say that everything up to entry 3 was read
 * </pre>
 *
 * What every client owes the contract (docs/design.md, section 4), and where it stands here:
 *
 * <pre>
 *   count and ack events              session
 *   keep a send until its outcome     send, accepted, refused
 *   find and fill what was missed     take, fill, sync
 *   pass what the server has lost     readAbove, refused (docs/errors.md, LOG_DAMAGED)
 *   come back when a stream ends      run
 * </pre>
 *
 * It is short because it keeps nothing on disk (outbox, cursor and entries of a real client outlive it), pulls whole
 * threads where a screenful would do, moves to another server when the stream ends and not already at `draining`, and
 * settles an unknown outcome by sending again, never by ResolveSend.
 *
 * <p>One thread owns the client: what the stream, the input and the clock bring goes through one queue.
 */
public final class Client {
  private static final Duration CALL = Duration.ofSeconds(10); // every unary call has a deadline
  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
  private static final Gson GSON = new Gson();

  private interface Step {
    void run() throws Exception;
  }

  private final String user;
  private final String device;
  private final String grpcUrl;
  private final String webUrl;
  private final Map<String, ManagedChannel> channels = new HashMap<>();
  private final Map<ByteString, Long> heldTo = new HashMap<>(); // thread_id → the seq up to which every entry is here
  private final Map<ByteString, SendRequest> outbox = new LinkedHashMap<>(); // by client_id, until its outcome is known
  private final LinkedBlockingQueue<Step> steps = new LinkedBlockingQueue<>();
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            var thread = new java.lang.Thread(task);
            thread.setDaemon(true);
            return thread;
          });
  private String token = "";
  private ByteString cursor = ByteString.EMPTY; // of the last caught_up: what changed since then comes at the next open
  private StreamObserver<ClientFrame> stream; // the session's call, while there is one
  private Throwable ended; // why it ended; null while it lives
  private long count; // of the session's events
  private boolean inputEnded;

  private Client(String user, String device, String grpcUrl, String webUrl) {
    this.user = user;
    this.device = device;
    this.grpcUrl = grpcUrl;
    this.webUrl = webUrl;
  }

  // -- The session: one stream, opened again whenever it ends.

  /** Returns when the input has ended and every send has its outcome. */
  private void run() throws InterruptedException {
    var random = new Random();
    long waitMs = 200;
    while (!isOver()) {
      try {
        session();
        waitMs = 200; // it was live, and ended well: the server moves
      } catch (Exception error) {
        var status = Status.fromThrowable(error);
        if (status.getCode() == Status.Code.UNAUTHENTICATED) token = ""; // expired: the next one is fresh
        tell("state", Map.of("state", "offline", "reason", String.valueOf(status.getDescription())));
        waitMs = Math.min(2 * waitMs, 5_000);
      }
      if (!isOver()) java.lang.Thread.sleep((long) (waitMs * (0.5 + random.nextDouble() / 2))); // jitter
    }
  }

  private boolean isOver() {
    return inputEnded && outbox.isEmpty();
  }

  private void session() throws Exception {
    if (token.isEmpty()) token = developmentToken();
    var gateway = call(GatewayServiceGrpc.newBlockingStub(channel(grpcUrl)));
    var permit = gateway.openSession(OpenSessionRequest.newBuilder().setDeviceId(device).build());
    var push =
        PushServiceGrpc.newStub(channel(permit.getGrpcUrl()))
            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(bearer(permit.getTicket())));
    ended = null;
    count = 0;
    var reader = new Reader();
    var opened = push.connect(reader);
    reader.mine = opened;
    stream = opened;
    var pinging = clock.scheduleAtFixedRate(() -> steps.add(this::ping), 15, 15, TimeUnit.SECONDS);
    try {
      frame(ClientFrame.newBuilder().setOpen(Open.newBuilder().setDeviceId(device).setCursor(cursor)));
      for (var clientId : new ArrayList<>(outbox.keySet())) attempt(clientId);
      while (ended == null && !isOver()) steps.take().run();
      if (ended instanceof Exception error) throw error;
    } finally {
      pinging.cancel(false);
      stream = null;
      if (ended == null) opened.onCompleted();
    }
  }

  /** Brings what the stream says to the client's own thread, unless the client has gone on to another stream. */
  private final class Reader implements StreamObserver<ServerFrame> {
    private StreamObserver<ClientFrame> mine; // set before the client's thread takes the first step

    private void queue(Step step) {
      steps.add(
          () -> {
            if (mine == stream && ended == null) step.run();
          });
    }

    @Override
    public void onNext(ServerFrame said) {
      queue(
          () -> {
            for (var event : said.getEventsList()) {
              count++; // every event counts, unknown ones too: ack names the number of the last
              take(event);
            }
            frame(ClientFrame.newBuilder().setAck(Ack.newBuilder().setUpTo(count)));
          });
    }

    @Override
    public void onError(Throwable error) {
      queue(() -> ended = error);
    }

    @Override
    public void onCompleted() {
      queue(() -> ended = Status.UNAVAILABLE.withDescription("the stream ended").asRuntimeException());
    }
  }

  /** Says a frame, if there is a stream. If it breaks meanwhile, its reader learns why. */
  private void frame(ClientFrame.Builder frame) {
    if (stream == null) return;
    try {
      stream.onNext(frame.build());
    } catch (IllegalStateException alreadyOver) {
      // Its end is in the queue.
    }
  }

  /** A client that says nothing for 25 s is taken for gone. */
  private void ping() {
    frame(ClientFrame.newBuilder().setPing(Ping.getDefaultInstance()));
  }

  // -- What the server says.

  private void take(Event event) {
    switch (event.getKindCase()) {
      case ENTRY -> {
        fill(event.getEntry().getThreadId(), event.getEntry().getSeq() - 1);
        hold(event.getEntry());
      }
      case ACCEPTED -> accepted(event.getAccepted());
      case REFUSED -> refused(event.getRefused());
      case THREAD_CHANGED -> {
        var one = event.getThreadChanged();
        if (one.getThread().getIsDamaged()) tell("damaged", Map.of("thread", hex(one.getThreadId())));
        fill(one.getThreadId(), one.getHead().getSeq());
      }
      case BEHIND -> fill(event.getBehind().getThreadId(), event.getBehind().getHead().getSeq());
      case BEHIND_ALL -> sync();
      case CAUGHT_UP -> {
        cursor = event.getCaughtUp().getCursor();
        tell("caught_up", Map.of());
      }
      case RECEIPT -> {
        var one = event.getReceipt();
        var said = new LinkedHashMap<String, Object>();
        said.put("thread", hex(one.getThreadId()));
        said.put("user", one.getUserId());
        said.put("delivered_seq", one.getDeliveredSeq());
        said.put("read_seq", one.getReadSeq());
        tell("receipt", said);
      }
      default -> {}
    }
  }

  /** Takes the next entry of a thread in. By what it holds a client tells repeats from news. */
  private void hold(Entry one) {
    if (one.getSeq() <= held(one.getThreadId())) return;
    heldTo.put(one.getThreadId(), one.getSeq());
    var said = new LinkedHashMap<String, Object>();
    said.put("thread", hex(one.getThreadId()));
    said.put("seq", one.getSeq());
    said.put("from", one.getSender());
    said.put("text", one.getBody().getText().getText());
    said.put("client_id", hex(one.getClientId()));
    said.put("created_at_ms", one.getCreatedAtMs());
    tell("entry", said);
  }

  private long held(ByteString threadId) {
    return heldTo.getOrDefault(threadId, 0L);
  }

  /** Pulls what is missing of a thread up to a seq, and says that it has arrived. */
  private void fill(ByteString threadId, long upTo) {
    while (held(threadId) < upTo && readAbove(threadId, 0))
      receipt(ReceiptFrame.newBuilder().setThreadId(threadId).setDeliveredSeq(held(threadId)));
  }

  /**
   * Reads a page above what is held. Of one that the server has lost it takes what stands below the hole, or passes the
   * hole and shows it. Returns false if the thread cannot be read: the next that is heard of it tries again.
   */
  private boolean readAbove(ByteString threadId, long pageSize) {
    var held = held(threadId);
    var after = ListEntriesRequest.newBuilder().setThreadId(threadId).setAfterSeq(held).setPageSize((int) pageSize);
    try {
      var messages = call(MessageServiceGrpc.newBlockingStub(channel(grpcUrl)));
      for (var one : messages.listEntries(after.build()).getEntriesList()) hold(one);
      return true;
    } catch (StatusRuntimeException error) {
      var info = errorInfo(error);
      if (!info.getReason().equals("LOG_DAMAGED")) throw error;
      var seq = Long.parseLong(info.getMetadataOrDefault("seq", "0"));
      var upTo = Long.parseLong(info.getMetadataOrDefault("up_to", "0"));
      var below = seq - held - 1;
      if (below > 0 && below != pageSize) return readAbove(threadId, below);
      var said = new LinkedHashMap<String, Object>();
      said.put("thread", hex(threadId));
      var isHole = below == 0 && upTo >= seq;
      if (isHole) {
        said.put("seq", seq);
        said.put("up_to", upTo);
        heldTo.put(threadId, upTo);
      }
      tell("damaged", said);
      return isHole;
    }
  }

  /** The reason of a failed call and what is known of it. Transports and proxies fail without one: then it is empty. */
  private static ErrorInfo errorInfo(StatusRuntimeException error) {
    var status = StatusProto.fromThrowable(error);
    try {
      if (status != null)
        for (Any detail : status.getDetailsList()) if (detail.is(ErrorInfo.class)) return detail.unpack(ErrorInfo.class);
    } catch (InvalidProtocolBufferException notOne) {
      // As if it had none.
    }
    return ErrorInfo.getDefaultInstance();
  }

  private void receipt(ReceiptFrame.Builder receipt) {
    frame(ClientFrame.newBuilder().setReceipt(receipt));
  }

  /** Pulls what is missing of every thread that changed since the cursor. */
  private void sync() {
    var threads = ThreadServiceGrpc.newBlockingStub(channel(grpcUrl));
    var request = SyncRequest.newBuilder().setCursor(cursor);
    SyncResponse page;
    do {
      page = call(threads).sync(request.build());
      for (Thread row : page.getThreadsList()) {
        if (row.getIsDamaged()) tell("damaged", Map.of("thread", hex(row.getThreadId())));
        fill(row.getThreadId(), row.getHead().getSeq());
      }
      request.setPageToken(page.getNextPageToken());
    } while (!page.getNextPageToken().isEmpty());
    cursor = page.getCursor();
  }

  // -- What the user says.

  private void line(String text) {
    var asked = JsonParser.parseString(text).getAsJsonObject();
    var to = asked.get("to").getAsString();
    if (asked.has("text")) send(to, asked.get("text").getAsString());
    else
      receipt(
          ReceiptFrame.newBuilder()
              .setThreadId(directThreadId(user, to))
              .setReadSeq(asked.get("read_seq").getAsLong()));
  }

  /** Composes a send and keeps it: from now on only `attempt` changes, however often it is tried. */
  private void send(String to, String text) {
    var clientId = newClientId();
    outbox.put(
        clientId,
        SendRequest.newBuilder()
            .setToUserId(to)
            .setClientId(clientId)
            .setBaseSeq(held(directThreadId(user, to)))
            .setBody(Body.newBuilder().setText(Text.newBuilder().setText(text)))
            .build());
    attempt(clientId);
  }

  private void attempt(ByteString clientId) {
    var raised =
        outbox.computeIfPresent(
            clientId, (id, send) -> send.toBuilder().setAttempt(send.getAttempt() + 1).build());
    if (raised != null) frame(ClientFrame.newBuilder().setSend(raised));
  }

  /** It is in the log, durably. The session that sent it gets no `entry` for it, so it is made here. */
  private void accepted(Accepted accepted) {
    var send = outbox.remove(accepted.getClientId());
    if (send == null) return;
    fill(accepted.getThreadId(), accepted.getSeq() - 1); // what others wrote before it
    hold(
        Entry.newBuilder()
            .setThreadId(accepted.getThreadId())
            .setSeq(accepted.getSeq())
            .setSender(user)
            .setClientId(send.getClientId())
            .setBaseSeq(send.getBaseSeq())
            .setCreatedAtMs(accepted.getCreatedAtMs())
            .setBody(send.getBody())
            .build());
  }

  /**
   * Only `committed=never` says that a send is not in the log. Anything else is unknown: it is tried again. But what may
   * be among the lost entries nobody will ever know: it is shown as refused, and the person decides.
   */
  private void refused(Refused refused) {
    var clientId = refused.getClientId();
    var info = refused.getErrorInfo();
    var isNever = "never".equals(info.getMetadataMap().get("committed"));
    if (!isNever && !info.getReason().equals("LOG_DAMAGED")) {
      clock.schedule(
          () -> steps.add(() -> attempt(clientId)),
          Math.max(refused.getRetryAfterMs(), 200),
          TimeUnit.MILLISECONDS);
      return;
    }
    outbox.remove(clientId);
    var said = new LinkedHashMap<String, Object>();
    said.put("client_id", hex(clientId));
    said.put("reason", refused.getErrorInfo().getReason());
    said.put("message", refused.getMessage());
    tell("refused", said);
  }

  // -- Ids, tokens, channels.

  /** The id of the thread of two users, whether it exists yet or not (docs/design.md, section 12). */
  private static ByteString directThreadId(String one, String other) {
    var isFirst = one.compareTo(other) < 0; // user ids are ASCII: the order of characters is that of bytes
    var named = "direct\0" + (isFirst ? one : other) + "\0" + (isFirst ? other : one);
    try {
      var digest = MessageDigest.getInstance("SHA-256").digest(named.getBytes(StandardCharsets.UTF_8));
      digest[15] |= 1;
      return ByteString.copyFrom(digest, 0, 16);
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private static ByteString newClientId() {
    var uuid = UUID.randomUUID();
    var bytes = ByteBuffer.allocate(16).putLong(uuid.getMostSignificantBits()).putLong(uuid.getLeastSignificantBits());
    return ByteString.copyFrom(bytes.array());
  }

  /** The development profile signs anyone in by name. Elsewhere a token comes from your identity provider. */
  private String developmentToken() throws IOException, InterruptedException {
    var asked = new JsonObject();
    asked.add("users", GSON.toJsonTree(new String[] {user}));
    var request =
        HttpRequest.newBuilder(URI.create(webUrl + "/dev/tokens"))
            .timeout(CALL)
            .header("content-type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(asked.toString()))
            .build();
    var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    return JsonParser.parseString(answer.body()).getAsJsonObject().getAsJsonObject("tokens").get(user).getAsString();
  }

  private ManagedChannel channel(String url) {
    var address = URI.create(url).getAuthority();
    return channels.computeIfAbsent(
        address, target -> ManagedChannelBuilder.forTarget(target).usePlaintext().build());
  }

  private <S extends io.grpc.stub.AbstractStub<S>> S call(S stub) {
    return stub.withDeadlineAfter(CALL.toSeconds(), TimeUnit.SECONDS)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(bearer(token)));
  }

  private static Metadata bearer(String token) {
    var metadata = new Metadata();
    metadata.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
    return metadata;
  }

  private static String hex(ByteString bytes) {
    return HexFormat.of().formatHex(bytes.toByteArray());
  }

  private static void tell(String kind, Map<String, Object> fields) {
    var said = new LinkedHashMap<String, Object>();
    said.put("type", kind);
    said.putAll(fields);
    OUT.println(GSON.toJson(said));
  }

  private void readInput() {
    try (var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String text; (text = input.readLine()) != null; ) {
        var said = text;
        steps.add(() -> line(said));
      }
    } catch (IOException error) {
      System.err.println(error);
    }
    steps.add(() -> inputEnded = true);
  }

  public static void main(String[] args) throws InterruptedException {
    if (args.length == 0) {
      System.err.println("usage: Client USER [--device NAME] [--grpc URL] [--web URL]");
      System.exit(2);
    }
    var options =
        new HashMap<>(
            Map.of("--device", "java", "--grpc", "http://127.0.0.1:8440", "--web", "http://127.0.0.1:8480"));
    for (int at = 1; at + 1 < args.length; at += 2) options.put(args[at], args[at + 1]);
    var client = new Client(args[0], options.get("--device"), options.get("--grpc"), options.get("--web"));
    var input = new java.lang.Thread(client::readInput);
    input.setDaemon(true);
    input.start();
    client.run();
    for (var channel : client.channels.values()) channel.shutdown();
  }
}
