// A Heddle client in one file: grpc-go, and stubs generated from proto/. Take it as a start for your own.
//
//	make stubs LANG=go                      # from the root of Heddle: writes stubs/go
//	cd docs/examples/go && go run . bob
//
// It speaks the lines of `bin/chat --json`: one JSON object a line, both ways. It prints every entry once, and takes
//
//	{"to": "ann", "text": "hi"}     send a message
//	{"to": "ann", "read_seq": 3}    say that everything up to entry 3 was read
//
// What every client owes the contract (docs/design.md, section 4), and where it stands here:
//
//	count and ack events              client.session
//	keep a send until its outcome     client.send, client.accepted, client.refused
//	find and fill what was missed     client.take, client.fill, client.sync
//	pass what the server has lost     client.readAbove, client.refused (docs/errors.md, LOG_DAMAGED)
//	come back when a stream ends      client.run
//
// It is short because it keeps nothing on disk (outbox, cursor and entries of a real client outlive it), pulls whole
// threads where a screenful would do, moves to another server when the stream ends and not already at `draining`, and
// settles an unknown outcome by sending again, never by ResolveSend.
//
// One goroutine owns the client: the stream and the lines of the input reach it through channels, so nothing is locked.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	mathrand "math/rand"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	gatewayv1 "heddle/gateway/v1"
	messagev1 "heddle/message/v1"
	pushv1 "heddle/push/v1"
	threadv1 "heddle/thread/v1"
)

const callTimeout = 10 * time.Second // every unary call has a deadline

type client struct {
	user, device, web string
	token             string
	channels          map[string]*grpc.ClientConn
	grpcURL           string
	cursor            []byte                           // of the last caught_up: what changed since then is named when a session opens
	heldTo            map[string]uint64                // thread_id → the seq up to which every entry is here
	outbox            []*messagev1.SendRequest         // in the order in which they were composed, until their outcome is known
	retry             chan *messagev1.SendRequest      // sends whose wait before another try is over
	lines             chan line                        // what the user says; closed at the end of the input
	stream            pushv1.PushService_ConnectClient // the session's call, while there is one
}

type line struct {
	To      string  `json:"to"`
	Text    *string `json:"text"`
	ReadSeq uint64  `json:"read_seq"`
}

func tell(kind string, fields map[string]any) {
	said := map[string]any{"type": kind}
	for name, value := range fields {
		said[name] = value
	}
	text, _ := json.Marshal(said)
	fmt.Println(string(text))
}

func withBearer(ctx context.Context, token string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// call is the context of a unary call.
func (c *client) call() (context.Context, context.CancelFunc) {
	return context.WithTimeout(withBearer(context.Background(), c.token), callTimeout)
}

// errorInfo is the reason of a failed call and what is known of it. Transports and proxies fail without one: then it is
// empty.
func errorInfo(err error) *errdetails.ErrorInfo {
	for _, detail := range status.Convert(err).Details() {
		if info, is := detail.(*errdetails.ErrorInfo); is {
			return info
		}
	}
	return &errdetails.ErrorInfo{}
}

// developmentToken: the development profile signs anyone in by name. Elsewhere a token comes from your identity provider.
func developmentToken(web, user string) (string, error) {
	body, _ := json.Marshal(map[string][]string{"users": {user}})
	calling := http.Client{Timeout: callTimeout}
	answer, err := calling.Post(web+"/dev/tokens", "application/json", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var given struct{ Tokens map[string]string }
	if err := json.NewDecoder(answer.Body).Decode(&given); err != nil {
		return "", err
	}
	return given.Tokens[user], nil
}

// directThreadID of two users, whether the thread exists yet or not (docs/design.md, section 12).
func directThreadID(one, other string) []byte {
	smaller, larger := min(one, other), max(one, other)
	digest := sha256.Sum256([]byte("direct\x00" + smaller + "\x00" + larger))
	id := digest[:16]
	id[15] |= 1
	return id
}

func newUUID() []byte {
	id := make([]byte, 16)
	rand.Read(id)
	id[6] = id[6]&0x0f | 0x40 // version 4
	id[8] = id[8]&0x3f | 0x80
	return id
}

func (c *client) channel(address string) (*grpc.ClientConn, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if open := c.channels[parsed.Host]; open != nil {
		return open, nil
	}
	opened, err := grpc.NewClient(parsed.Host, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err == nil {
		c.channels[parsed.Host] = opened
	}
	return opened, err
}

func (c *client) messages() messagev1.MessageServiceClient {
	return messagev1.NewMessageServiceClient(c.channels[c.home()])
}

func (c *client) threads() threadv1.ThreadServiceClient {
	return threadv1.NewThreadServiceClient(c.channels[c.home()])
}

// home names the channel of unary calls.
func (c *client) home() string {
	parsed, _ := url.Parse(c.grpcURL)
	return parsed.Host
}

// -- The session: one stream, opened again whenever it ends.

// run returns when the input has ended and every send has its outcome.
func (c *client) run() {
	wait := 200 * time.Millisecond
	for {
		over, err := c.session()
		if over {
			return
		}
		if err == nil {
			wait = 200 * time.Millisecond // it was live, and ended well: the server moves
		} else {
			if status.Code(err) == codes.Unauthenticated {
				c.token = "" // expired: the next one is fresh
			}
			tell("state", map[string]any{"state": "offline", "reason": status.Convert(err).Message()})
			wait = min(2*wait, 5*time.Second)
		}
		// Jitter: not everybody at once.
		time.Sleep(time.Duration(float64(wait) * (0.5 + mathrand.Float64()/2)))
	}
}

// session lives through one stream. Returns true when nothing is left to do.
func (c *client) session() (over bool, err error) {
	if c.token == "" {
		if c.token, err = developmentToken(c.web, c.user); err != nil {
			return false, err
		}
	}
	home, err := c.channel(c.grpcURL)
	if err != nil {
		return false, err
	}
	ctx, cancel := c.call()
	permit, err := gatewayv1.NewGatewayServiceClient(home).OpenSession(ctx, &gatewayv1.OpenSessionRequest{DeviceId: c.device})
	cancel()
	if err != nil {
		return false, err
	}
	server, err := c.channel(permit.GrpcUrl)
	if err != nil {
		return false, err
	}
	ctx, cancel = context.WithCancel(withBearer(context.Background(), permit.Ticket))
	defer cancel()
	stream, err := pushv1.NewPushServiceClient(server).Connect(ctx)
	if err != nil {
		return false, err
	}
	c.stream = stream
	defer func() { c.stream = nil }()
	c.frame(&pushv1.ClientFrame{Kind: &pushv1.ClientFrame_Open{Open: &pushv1.Open{DeviceId: c.device, Cursor: c.cursor}}})
	for _, send := range c.outbox {
		c.attempt(send)
	}
	return c.live(stream)
}

// live takes what comes from the server, the user and the clock, one after the other.
func (c *client) live(stream pushv1.PushService_ConnectClient) (over bool, err error) {
	frames := make(chan *pushv1.ServerFrame)
	ended := make(chan error, 1)
	go func() {
		for {
			frame, err := stream.Recv()
			if err != nil {
				ended <- err
				return
			}
			select {
			case frames <- frame:
			case <-stream.Context().Done():
				return
			}
		}
	}()
	ping := time.NewTicker(15 * time.Second) // until `opened` says how often
	defer ping.Stop()
	count := uint64(0)
	for c.lines != nil || len(c.outbox) > 0 {
		select {
		case frame := <-frames:
			for _, event := range frame.Events {
				count++ // every event counts, unknown ones too: ack names the number of the last
				if opened := event.GetOpened(); opened != nil {
					ping.Reset(time.Duration(opened.PingIntervalMs) * time.Millisecond)
				}
				if err := c.take(event); err != nil {
					return false, err
				}
			}
			c.frame(&pushv1.ClientFrame{Kind: &pushv1.ClientFrame_Ack{Ack: &pushv1.Ack{UpTo: count}}})
		case err := <-ended:
			return false, err
		case <-ping.C: // a client that says nothing for 25 s is taken for gone
			c.frame(&pushv1.ClientFrame{Kind: &pushv1.ClientFrame_Ping{Ping: &pushv1.Ping{}}})
		case send := <-c.retry:
			c.attempt(send)
		case said, more := <-c.lines:
			if !more {
				c.lines = nil
			} else if said.Text != nil {
				c.send(said.To, *said.Text)
			} else {
				c.receipt(&pushv1.ReceiptFrame{ThreadId: directThreadID(c.user, said.To), ReadSeq: said.ReadSeq})
			}
		}
	}
	return true, nil
}

// frame says a frame, if there is a stream. If the stream breaks meanwhile, its reader learns why.
func (c *client) frame(frame *pushv1.ClientFrame) {
	if c.stream != nil {
		_ = c.stream.Send(frame)
	}
}

func (c *client) receipt(receipt *pushv1.ReceiptFrame) {
	c.frame(&pushv1.ClientFrame{Kind: &pushv1.ClientFrame_Receipt{Receipt: receipt}})
}

// -- What the server says.

func (c *client) take(event *pushv1.Event) error {
	switch kind := event.Kind.(type) {
	case *pushv1.Event_Entry:
		if err := c.fill(kind.Entry.ThreadId, kind.Entry.Seq-1); err != nil {
			return err
		}
		c.hold(kind.Entry)
	case *pushv1.Event_Accepted:
		return c.accepted(kind.Accepted)
	case *pushv1.Event_Refused:
		c.refused(kind.Refused)
	case *pushv1.Event_ThreadChanged:
		if kind.ThreadChanged.Thread.GetIsDamaged() {
			tell("damaged", map[string]any{"thread": hex.EncodeToString(kind.ThreadChanged.ThreadId)})
		}
		return c.fill(kind.ThreadChanged.ThreadId, kind.ThreadChanged.Head.GetSeq())
	case *pushv1.Event_Behind:
		return c.fill(kind.Behind.ThreadId, kind.Behind.Head.GetSeq())
	case *pushv1.Event_BehindAll:
		return c.sync()
	case *pushv1.Event_CaughtUp:
		c.cursor = kind.CaughtUp.Cursor
		tell("caught_up", nil)
	case *pushv1.Event_Receipt:
		one := kind.Receipt
		tell("receipt", map[string]any{"thread": hex.EncodeToString(one.ThreadId), "user": one.UserId,
			"delivered_seq": one.DeliveredSeq, "read_seq": one.ReadSeq})
	}
	return nil
}

// hold takes the next entry of a thread in. By what it holds a client tells repeats from news.
func (c *client) hold(one *messagev1.Entry) {
	if one.Seq <= c.heldTo[string(one.ThreadId)] {
		return
	}
	c.heldTo[string(one.ThreadId)] = one.Seq
	tell("entry", map[string]any{"thread": hex.EncodeToString(one.ThreadId), "seq": one.Seq, "from": one.Sender,
		"text": one.GetBody().GetText().GetText(), "client_id": hex.EncodeToString(one.ClientId),
		"created_at_ms": one.CreatedAtMs})
}

// fill pulls what is missing of a thread up to a seq, and says that it has arrived.
func (c *client) fill(threadID []byte, upTo uint64) error {
	key := string(threadID)
	for c.heldTo[key] < upTo {
		if goesOn, err := c.readAbove(threadID, 0); err != nil || !goesOn {
			return err
		}
		c.receipt(&pushv1.ReceiptFrame{ThreadId: threadID, DeliveredSeq: c.heldTo[key]})
	}
	return nil
}

// readAbove reads a page above what is held. Of one that the server has lost it takes what stands below the hole, or
// passes the hole and shows it. Returns false if the thread cannot be read: the next that is heard of it tries again.
func (c *client) readAbove(threadID []byte, pageSize uint32) (goesOn bool, err error) {
	held := c.heldTo[string(threadID)]
	ctx, cancel := c.call()
	page, err := c.messages().ListEntries(ctx, &messagev1.ListEntriesRequest{
		ThreadId: threadID,
		Position: &messagev1.ListEntriesRequest_AfterSeq{AfterSeq: held},
		PageSize: pageSize,
	})
	cancel()
	if info := errorInfo(err); info.Reason == "LOG_DAMAGED" {
		seq, _ := strconv.ParseUint(info.Metadata["seq"], 10, 64) // 0 where it is not known
		upTo, _ := strconv.ParseUint(info.Metadata["up_to"], 10, 64)
		if seq > held+1 && seq-held-1 != uint64(pageSize) {
			return c.readAbove(threadID, uint32(seq-held-1))
		}
		said := map[string]any{"thread": hex.EncodeToString(threadID)}
		isHole := seq == held+1 && upTo >= seq
		if isHole {
			said["seq"], said["up_to"] = seq, upTo
			c.heldTo[string(threadID)] = upTo
		}
		tell("damaged", said)
		return isHole, nil
	}
	if err != nil {
		return false, err
	}
	for _, one := range page.Entries {
		c.hold(one)
	}
	return true, nil
}

// sync pulls what is missing of every thread that changed since the cursor.
func (c *client) sync() error {
	request := &threadv1.SyncRequest{Cursor: c.cursor}
	for {
		ctx, cancel := c.call()
		page, err := c.threads().Sync(ctx, request)
		cancel()
		if err != nil {
			return err
		}
		for _, row := range page.Threads {
			if row.IsDamaged {
				tell("damaged", map[string]any{"thread": hex.EncodeToString(row.ThreadId)})
			}
			if err := c.fill(row.ThreadId, row.Head.GetSeq()); err != nil {
				return err
			}
		}
		if len(page.NextPageToken) == 0 {
			c.cursor = page.Cursor
			return nil
		}
		request.PageToken = page.NextPageToken
	}
}

// -- What the user says.

// send composes a send and keeps it: from now on only `attempt` changes, however often it is tried.
func (c *client) send(to, text string) {
	send := &messagev1.SendRequest{
		Target:   &messagev1.SendRequest_ToUserId{ToUserId: to},
		ClientId: newUUID(),
		BaseSeq:  c.heldTo[string(directThreadID(c.user, to))],
		Body:     &messagev1.Body{Kind: &messagev1.Body_Text{Text: &messagev1.Text{Text: text}}},
	}
	c.outbox = append(c.outbox, send)
	c.attempt(send)
}

func (c *client) attempt(send *messagev1.SendRequest) {
	send.Attempt++
	c.frame(&pushv1.ClientFrame{Kind: &pushv1.ClientFrame_Send{Send: send}})
}

// settle takes a send out of the outbox, if it is there.
func (c *client) settle(clientID []byte) *messagev1.SendRequest {
	for at, send := range c.outbox {
		if bytes.Equal(send.ClientId, clientID) {
			c.outbox = append(c.outbox[:at:at], c.outbox[at+1:]...)
			return send
		}
	}
	return nil
}

// accepted: it is in the log, durably. The session that sent it gets no `entry` for it, so it is made here.
func (c *client) accepted(accepted *pushv1.Accepted) error {
	send := c.settle(accepted.ClientId)
	if send == nil {
		return nil
	}
	if err := c.fill(accepted.ThreadId, accepted.Seq-1); err != nil { // what others wrote before it
		return err
	}
	c.hold(&messagev1.Entry{ThreadId: accepted.ThreadId, Seq: accepted.Seq, Sender: c.user, ClientId: send.ClientId,
		BaseSeq: send.BaseSeq, CreatedAtMs: accepted.CreatedAtMs, Body: send.Body})
	return nil
}

// refused: only `committed=never` says that a send is not in the log. Anything else is unknown: it is tried again. But
// what may be among the lost entries nobody will ever know: it is shown as refused, and the person decides.
func (c *client) refused(refused *pushv1.Refused) {
	isNever := refused.ErrorInfo.GetMetadata()["committed"] == "never"
	if !isNever && refused.ErrorInfo.GetReason() != "LOG_DAMAGED" {
		for _, send := range c.outbox {
			if bytes.Equal(send.ClientId, refused.ClientId) {
				wait := max(time.Duration(refused.RetryAfterMs)*time.Millisecond, 200*time.Millisecond)
				time.AfterFunc(wait, func() { c.retry <- send })
			}
		}
		return
	}
	c.settle(refused.ClientId)
	tell("refused", map[string]any{"client_id": hex.EncodeToString(refused.ClientId),
		"reason": refused.ErrorInfo.GetReason(), "message": refused.Message})
}

func main() {
	flags := flag.NewFlagSet("client", flag.ExitOnError)
	device := flags.String("device", "go", "one name per installation")
	grpcURL := flags.String("grpc", "http://127.0.0.1:8440", "Heddle's gRPC listener")
	web := flags.String("web", "http://127.0.0.1:8480", "where development tokens come from")
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: client USER [-device NAME] [-grpc URL] [-web URL]")
		os.Exit(2)
	}
	flags.Parse(os.Args[2:])
	lines := make(chan line)
	go func() {
		input := bufio.NewScanner(os.Stdin)
		input.Buffer(nil, 1<<20)
		for input.Scan() {
			var said line
			if err := json.Unmarshal(input.Bytes(), &said); err != nil {
				fmt.Fprintln(os.Stderr, "not a line of JSON:", err)
				continue
			}
			lines <- said
		}
		close(lines)
	}()
	c := &client{user: os.Args[1], device: *device, web: *web, grpcURL: *grpcURL, lines: lines,
		channels: map[string]*grpc.ClientConn{}, heldTo: map[string]uint64{}, retry: make(chan *messagev1.SendRequest)}
	c.run()
}
