package main

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	gatewayv1 "heddle/gateway/v1"
	messagev1 "heddle/message/v1"
	pushv1 "heddle/push/v1"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

const (
	// As the client library acks: after so many events, or so long after the last ack.
	ackEvents = 32
	ackAfter  = 200 * time.Millisecond
	pingAfter = 15 * time.Second

	openLimit = 60 * time.Second
	deviceID  = "bench"
)

// client is one user: a TCP connection, a session and a stream of its own.
type client struct {
	index  uint32
	userID string
	load   *load
	stream grpc.BidiStreamingClient[pushv1.ClientFrame, pushv1.ServerFrame]
	// What was told before caught_up, and is not written after it: heads of threads by thread_id in hex, log_epoch.
	heads    map[string]uint64
	logEpoch uint64

	// mu guards what follows, and that one goroutine at a time sends.
	mu       sync.Mutex
	events   uint64
	acked    uint64
	ackedAt  time.Time
	pingedAt time.Time
	// Of the thread that is written to now.
	threadID []byte
	order    *order
	held     uint64
	due      []time.Time // When each send was due, by number.
	accepted []float32   // Latencies since the last reset, in ms.
	arrived  []float32
}

func withToken(token string) context.Context {
	return metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+token)
}

// open signs in, opens the stream and returns at caught_up.
func (c *client) open(address, token string) error {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	request := &gatewayv1.OpenSessionRequest{DeviceId: deviceID}
	session, err := gatewayv1.NewGatewayServiceClient(conn).OpenSession(withToken(token), request)
	if err != nil {
		return fmt.Errorf("OpenSession of %s: %w", c.userID, err)
	}
	c.stream, err = pushv1.NewPushServiceClient(conn).Connect(withToken(session.Ticket))
	if err != nil {
		return fmt.Errorf("Connect of %s: %w", c.userID, err)
	}
	open := &pushv1.Open{DeviceId: deviceID}
	if err := c.stream.Send(&pushv1.ClientFrame{Kind: &pushv1.ClientFrame_Open{Open: open}}); err != nil {
		return fmt.Errorf("open of %s: %w", c.userID, err)
	}
	caughtUp := make(chan error, 1)
	go c.read(caughtUp)
	select {
	case err := <-caughtUp:
		return err
	case <-time.After(openLimit):
		return fmt.Errorf("no caught_up of %s in %s", c.userID, openLimit)
	}
}

// read takes what comes until the stream ends, which no good run sees.
func (c *client) read(caughtUp chan<- error) {
	isCaughtUp := false
	for {
		frame, err := c.stream.Recv()
		if err != nil {
			err = fmt.Errorf("the stream of %s ended: %w", c.userID, err)
			c.load.note(err)
			select {
			case caughtUp <- err:
			default:
			}
			return
		}
		now := time.Now()
		for _, event := range frame.Events {
			if changed := event.GetThreadChanged(); changed != nil && !isCaughtUp {
				c.heads[hex.EncodeToString(changed.ThreadId)] = changed.Head.GetSeq()
			} else if opened := event.GetOpened(); opened != nil {
				c.logEpoch = opened.LogEpoch
			} else if event.GetCaughtUp() != nil && !isCaughtUp {
				isCaughtUp = true
				caughtUp <- nil
			} else if err := c.take(event, now); err != nil {
				c.load.note(fmt.Errorf("%s: %w", c.userID, err))
			}
		}
		c.count(len(frame.Events), now)
	}
}

func (c *client) take(event *pushv1.Event, now time.Time) error {
	switch kind := event.Kind.(type) {
	case *pushv1.Event_Entry:
		return c.load.entry(c, kind.Entry, now)
	case *pushv1.Event_Accepted:
		return c.load.accepted(c, kind.Accepted, now)
	case *pushv1.Event_Refused:
		return fmt.Errorf("refused: %s", kind.Refused.Message)
	case *pushv1.Event_Behind, *pushv1.Event_BehindAll:
		return fmt.Errorf("behind: events were dropped")
	case *pushv1.Event_Draining:
		return fmt.Errorf("the server drains")
	}
	return nil
}

// count acks when many events have come.
func (c *client) count(events int, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events += uint64(events)
	if c.events-c.acked >= ackEvents {
		c.ack(now)
	}
}

// tick acks and pings if it is time. To be called about every 50 ms.
func (c *client) tick(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.acked < c.events && now.Sub(c.ackedAt) >= ackAfter {
		c.ack(now)
	}
	if now.Sub(c.pingedAt) >= pingAfter {
		c.pingedAt = now
		c.say(&pushv1.ClientFrame{Kind: &pushv1.ClientFrame_Ping{Ping: &pushv1.Ping{}}})
	}
}

// ack is called with mu held.
func (c *client) ack(now time.Time) {
	c.acked = c.events
	c.ackedAt = now
	c.say(&pushv1.ClientFrame{Kind: &pushv1.ClientFrame_Ack{Ack: &pushv1.Ack{UpTo: c.events}}})
}

// send sends a text, due at this moment, in the thread that is written to; to a user if there is none yet.
func (c *client) send(run uint32, text, toUserID string, due time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	send := &messagev1.SendRequest{
		ClientId: clientID{run, c.index, uint32(len(c.due))}.bytes(),
		BaseSeq:  c.held,
		LogEpoch: c.logEpoch,
		Attempt:  1,
		Body:     &messagev1.Body{Kind: &messagev1.Body_Text{Text: &messagev1.Text{Text: text}}},
	}
	if toUserID != "" {
		send.Target = &messagev1.SendRequest_ToUserId{ToUserId: toUserID}
	} else {
		send.Target = &messagev1.SendRequest_ThreadId{ThreadId: c.threadID}
	}
	c.due = append(c.due, due)
	c.say(&pushv1.ClientFrame{Kind: &pushv1.ClientFrame_Send{Send: send}})
}

// say is called with mu held. A stream that has ended is told by its reader.
func (c *client) say(frame *pushv1.ClientFrame) {
	_ = c.stream.Send(frame)
}

// dueAt says when a send was due; zero for one that was never made.
func (c *client) dueAt(number uint32) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if int(number) >= len(c.due) {
		return time.Time{}
	}
	return c.due[number]
}

// clientID says in a send's client_id which it is: a UUID v7 whose random bits are these three.
type clientID struct{ run, sender, number uint32 }

func (id clientID) bytes() []byte {
	bytes := make([]byte, 16)
	binary.BigEndian.PutUint32(bytes, id.run)
	bytes[6], bytes[8] = 0x70, 0x80
	bytes[9], bytes[10], bytes[11] = byte(id.sender>>16), byte(id.sender>>8), byte(id.sender)
	binary.BigEndian.PutUint32(bytes[12:], id.number)
	return bytes
}

func clientIDOf(bytes []byte) (clientID, error) {
	if len(bytes) != 16 {
		return clientID{}, fmt.Errorf("a client_id of %d bytes", len(bytes))
	}
	sender := uint32(bytes[9])<<16 | uint32(bytes[10])<<8 | uint32(bytes[11])
	return clientID{binary.BigEndian.Uint32(bytes), sender, binary.BigEndian.Uint32(bytes[12:])}, nil
}
