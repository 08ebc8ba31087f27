"""A Heddle client in one file: grpcio, and stubs generated from proto/. Take it as a start for your own.

    python3 -m venv venv && venv/bin/pip install grpcio grpcio-tools
    mkdir stubs && cd proto && ../venv/bin/python -m grpc_tools.protoc -I . --python_out=../stubs \
        --grpc_python_out=../stubs $(find buf google heddle -name '*.proto') && cd ..
    PYTHONPATH=stubs venv/bin/python docs/examples/python_client.py bob

It speaks the lines of `bin/chat --json`: one JSON object a line, both ways. It prints every entry once, and takes

    {"to": "ann", "text": "hi"}     send a message
    {"to": "ann", "read_seq": 3}    say that everything up to entry 3 was read

What every client owes the contract (docs/design.md, section 4), and where it stands here:

  count and ack events              Client.session
  keep a send until its outcome     Client.send, Client.accepted, Client.refused
  find and fill what was missed     Client.take, Client.fill, Client.sync
  pass what the server has lost     Client.read_above, Client.refused (docs/errors.md, LOG_DAMAGED)
  come back when a stream ends      Client.run

It is short because it keeps nothing on disk (outbox, cursor and entries of a real client outlive it), pulls whole
threads where a screenful would do, moves to another server when the stream ends and not already at `draining`, and
settles an unknown outcome by sending again, never by ResolveSend.
"""

import argparse
import asyncio
import collections
import hashlib
import json
import random
import sys
import urllib.parse
import urllib.request
import uuid

import grpc
from google.rpc import error_details_pb2, status_pb2
from heddle.gateway.v1 import gateway_service_pb2 as gateway
from heddle.gateway.v1 import gateway_service_pb2_grpc as gateway_grpc
from heddle.message.v1 import entry_pb2 as entry
from heddle.message.v1 import message_service_pb2 as message
from heddle.message.v1 import message_service_pb2_grpc as message_grpc
from heddle.push.v1 import frame_pb2 as push
from heddle.push.v1 import push_service_pb2_grpc as push_grpc
from heddle.thread.v1 import thread_service_pb2 as thread
from heddle.thread.v1 import thread_service_pb2_grpc as thread_grpc

TIMEOUT_S = 10  # every unary call has a deadline
CHANNEL = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 100)]  # Client.run waits


def tell(kind, **fields):
    print(json.dumps({"type": kind, **fields}, ensure_ascii=False), flush=True)


def bearer(token):
    return (("authorization", f"Bearer {token}"),)


def error_info(error):
    """The reason of a failed call and what is known of it. Transports and proxies fail without one: then it is empty."""
    info = error_details_pb2.ErrorInfo()
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                if detail.Unpack(info):
                    break
    return info


def development_token(web, user):
    """The development profile signs anyone in by name. Elsewhere a token comes from your identity provider."""
    body = json.dumps({"users": [user]}).encode()
    request = urllib.request.Request(f"{web}/dev/tokens", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return json.load(answer)["tokens"][user]


def direct_thread_id(one, other):
    """The id of the thread of two users, whether it exists yet or not (docs/design.md, section 12)."""
    smaller, larger = sorted([one.encode(), other.encode()])
    digest = bytearray(hashlib.sha256(b"direct\0" + smaller + b"\0" + larger).digest()[:16])
    digest[15] |= 1
    return bytes(digest)


class Client:
    def __init__(self, user, device, grpc_url, web_url):
        self.user, self.device, self.web = user, device, web_url
        self.token = ""
        self.channels = {}
        self.messages = message_grpc.MessageServiceStub(self.channel(grpc_url))
        self.threads = thread_grpc.ThreadServiceStub(self.channel(grpc_url))
        self.gateway = gateway_grpc.GatewayServiceStub(self.channel(grpc_url))
        self.cursor = b""  # of the last caught_up: what changed since then is named when a session opens
        self.held_to = collections.defaultdict(int)  # thread_id → the seq up to which every entry is here
        self.outbox = {}  # client_id → SendRequest, until its outcome is known
        self.stream = None  # the session's call, while there is one
        self.writing = asyncio.Lock()  # a gRPC stream takes one write at a time

    def channel(self, url):
        address = urllib.parse.urlsplit(url).netloc
        if address not in self.channels:
            self.channels[address] = grpc.aio.insecure_channel(address, options=CHANNEL)
        return self.channels[address]

    # -- The session: one stream, opened again whenever it ends.

    async def run(self):
        wait = 0.2
        while True:
            try:
                await self.session()
                wait = 0.2  # it was live, and ended well: the server moves
            except (grpc.aio.AioRpcError, OSError) as error:
                is_status = isinstance(error, grpc.aio.AioRpcError)
                if is_status and error.code() == grpc.StatusCode.UNAUTHENTICATED:
                    self.token = ""  # expired: the next one is fresh
                tell("state", state="offline", reason=error.details() if is_status else str(error))
                wait = min(2 * wait, 5)
            await asyncio.sleep(wait * (0.5 + random.random() / 2))  # jitter: not everybody at once

    async def session(self):
        self.token = self.token or await asyncio.to_thread(development_token, self.web, self.user)
        request = gateway.OpenSessionRequest(device_id=self.device)
        permit = await self.gateway.OpenSession(request, metadata=bearer(self.token), timeout=TIMEOUT_S)
        stub = push_grpc.PushServiceStub(self.channel(permit.grpc_url))
        stream = stub.Connect(metadata=bearer(permit.ticket))
        pinging = None
        try:
            opening = push.Open(device_id=self.device, cursor=self.cursor)
            await stream.write(push.ClientFrame(open=opening))
            self.stream = stream  # from here on others may write too
            for send in list(self.outbox.values()):
                await self.attempt(send)
            count = 0
            async for frame in stream:
                for event in frame.events:
                    count += 1  # every event counts, unknown ones too: ack names the number of the last
                    if event.HasField("opened"):
                        pinging = asyncio.create_task(self.ping(event.opened.ping_interval_ms / 1000))
                    await self.take(event)
                await self.frame(ack=push.Ack(up_to=count))
        finally:
            self.stream = None
            stream.cancel()
            if pinging:
                pinging.cancel()

    async def frame(self, **kind):
        """Says a frame, if there is a stream. If it breaks meanwhile, the task that reads it learns why."""
        async with self.writing:
            if self.stream and not self.stream.done():
                try:
                    await self.stream.write(push.ClientFrame(**kind))
                except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                    pass

    async def ping(self, interval_s):
        """A client that says nothing for 25 s is taken for gone."""
        while True:
            await asyncio.sleep(interval_s)
            await self.frame(ping=push.Ping())

    # -- What the server says.

    async def take(self, event):
        kind = event.WhichOneof("kind")
        value = getattr(event, kind) if kind else None
        if kind == "entry":
            await self.fill(value.thread_id, value.seq - 1)
            self.hold(value)
        elif kind == "accepted":
            await self.accepted(value)
        elif kind == "refused":
            await self.refused(value)
        elif kind in ("thread_changed", "behind"):
            if kind == "thread_changed" and value.thread.is_damaged:
                tell("damaged", thread=value.thread_id.hex())
            await self.fill(value.thread_id, value.head.seq)
        elif kind == "behind_all":
            await self.sync()
        elif kind == "caught_up":
            self.cursor = value.cursor
            tell("caught_up")
        elif kind == "receipt":
            positions = {"delivered_seq": value.delivered_seq, "read_seq": value.read_seq}
            tell("receipt", thread=value.thread_id.hex(), user=value.user_id, **positions)

    def hold(self, one):
        """Takes the next entry of a thread in. By what it holds a client tells repeats from news."""
        if one.seq <= self.held_to[one.thread_id]:
            return
        self.held_to[one.thread_id] = one.seq
        about = {"client_id": one.client_id.hex(), "created_at_ms": one.created_at_ms}
        text = one.body.text.text if one.body.HasField("text") else ""
        tell("entry", thread=one.thread_id.hex(), seq=one.seq, **{"from": one.sender}, text=text, **about)

    async def fill(self, thread_id, up_to):
        """Pulls what is missing of a thread up to a seq, and says that it has arrived."""
        while self.held_to[thread_id] < up_to:
            if not await self.read_above(thread_id):
                break
            arrived = push.ReceiptFrame(thread_id=thread_id, delivered_seq=self.held_to[thread_id])
            await self.frame(receipt=arrived)

    async def read_above(self, thread_id, page_size=0):
        """Reads a page above what is held. Of one that the server has lost it takes what stands below the hole, or passes
        the hole and shows it. Returns False if the thread cannot be read: the next that is heard of it tries again."""
        held = self.held_to[thread_id]
        after = message.ListEntriesRequest(thread_id=thread_id, after_seq=held, page_size=page_size)
        try:
            page = await self.messages.ListEntries(after, metadata=bearer(self.token), timeout=TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            info = error_info(error)
            if info.reason != "LOG_DAMAGED":
                raise
            seq, up_to = (int(info.metadata.get(name, 0)) for name in ("seq", "up_to"))
            below = seq - held - 1
            if below > 0 and below != page_size:
                return await self.read_above(thread_id, below)
            is_hole = below == 0 and up_to >= seq
            tell("damaged", thread=thread_id.hex(), **({"seq": seq, "up_to": up_to} if is_hole else {}))
            self.held_to[thread_id] = up_to if is_hole else held
            return is_hole
        for one in page.entries:
            self.hold(one)
        return True

    async def sync(self):
        """Pulls what is missing of every thread that changed since the cursor."""
        request = thread.SyncRequest(cursor=self.cursor)
        while True:
            page = await self.threads.Sync(request, metadata=bearer(self.token), timeout=TIMEOUT_S)
            for row in page.threads:
                if row.is_damaged:
                    tell("damaged", thread=row.thread_id.hex())
                await self.fill(row.thread_id, row.head.seq)
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
        self.cursor = page.cursor

    # -- What the user says.

    async def send(self, to, text):
        """Composes a send and keeps it: from now on only `attempt` changes, however often it is tried."""
        send = message.SendRequest(
            to_user_id=to,
            client_id=uuid.uuid4().bytes,
            base_seq=self.held_to[direct_thread_id(self.user, to)],
            body=entry.Body(text=entry.Text(text=text)),
        )
        self.outbox[send.client_id] = send
        await self.attempt(send)

    async def attempt(self, send):
        if self.stream:
            send.attempt += 1
            await self.frame(send=send)

    async def accepted(self, accepted):
        """It is in the log, durably. The session that sent it gets no `entry` for it, so it is made here."""
        send = self.outbox.pop(accepted.client_id, None)
        if not send:
            return
        await self.fill(accepted.thread_id, accepted.seq - 1)  # what others wrote before it
        place = {"thread_id": accepted.thread_id, "seq": accepted.seq, "created_at_ms": accepted.created_at_ms}
        said = {"client_id": send.client_id, "base_seq": send.base_seq, "body": send.body}
        self.hold(entry.Entry(sender=self.user, **place, **said))

    async def refused(self, refused):
        """Only `committed=never` says that a send is not in the log. Anything else is unknown: try it again. But what may
        be among the lost entries nobody will ever know: it is shown as refused, and the person decides."""
        send = self.outbox.get(refused.client_id)
        is_never = refused.error_info.metadata.get("committed") == "never"
        if send and not is_never and refused.error_info.reason != "LOG_DAMAGED":
            await asyncio.sleep(max(refused.retry_after_ms / 1000, 0.2))
            await self.attempt(send)
            return
        self.outbox.pop(refused.client_id, None)
        about = {"client_id": refused.client_id.hex(), "reason": refused.error_info.reason}
        tell("refused", **about, message=refused.message)

    async def read(self, to, seq):
        thread_id = direct_thread_id(self.user, to)
        await self.frame(receipt=push.ReceiptFrame(thread_id=thread_id, read_seq=seq))


async def carry_out_lines(client):
    """Takes lines until the input ends, and returns when every send has its outcome."""
    reader = asyncio.StreamReader(limit=1 << 20)
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await reader.readline():
        asked = json.loads(line)
        if "text" in asked:
            await client.send(asked["to"], asked["text"])
        else:
            await client.read(asked["to"], asked["read_seq"])
    while client.outbox:
        await asyncio.sleep(0.1)


async def main():
    parser = argparse.ArgumentParser(description="Chat through Heddle, in lines of JSON.")
    parser.add_argument("user", help="who you are")
    parser.add_argument("--device", default="python", help="one name per installation")
    parser.add_argument("--grpc", default="http://127.0.0.1:8440", help="Heddle's gRPC listener")
    parser.add_argument("--web", default="http://127.0.0.1:8480", help="where development tokens come from")
    options = parser.parse_args()
    client = Client(options.user, options.device, options.grpc, options.web)
    running = asyncio.create_task(client.run())
    lines = asyncio.create_task(carry_out_lines(client))
    done, _ = await asyncio.wait([running, lines], return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    for task in done:
        task.result()  # raises what ended it, if anything did


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
