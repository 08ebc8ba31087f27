package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	messagev1 "heddle/message/v1"
	pushv1 "heddle/push/v1"
)

const (
	tickEvery = 50 * time.Millisecond
	lookEvery = 20 * time.Millisecond
	// How long what is under way may take to settle when the sending has stopped.
	settleLimit = 20 * time.Second
	// What is told of the troubles at most.
	mostTroubles = 20
)

type user struct {
	UserID string `json:"userId"`
	Token  string `json:"token"`
}

type connectOptions struct {
	Address string `json:"address"`
	Users   []user `json:"users"`
	AtOnce  int    `json:"atOnce"`
}

type pairOptions struct {
	TextBytes int `json:"textBytes"`
}

// postOptions says who posts where: of the members, all that are connected, so many in turn by a schedule.
type postOptions struct {
	ThreadID  string `json:"threadId"`
	Posters   int    `json:"posters"`
	TextBytes int    `json:"textBytes"`
	PerSecond int    `json:"perSecond"`
	Count     int    `json:"count"`
}

// load is all clients, and one run of sends at a time.
type load struct {
	mu       sync.Mutex
	clients  []*client
	troubles []string
	closing  chan struct{} // Of the schedule that is under way.

	run      atomic.Uint32
	isWindow atomic.Bool
	text     string
	// copies is to how many clients each send comes, but for its sender.
	copies int64

	sent, acceptedCount, arrivedCount atomic.Int64
}

func newLoad() *load {
	l := &load{}
	go func() {
		for now := range time.Tick(tickEvery) {
			for _, c := range l.everybody() {
				c.tick(now)
			}
		}
	}()
	return l
}

// everybody who is connected.
func (l *load) everybody() []*client {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clients
}

// note keeps what went wrong, the first few: figures of a run with troubles mean nothing.
func (l *load) note(trouble error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.troubles) < mostTroubles {
		l.troubles = append(l.troubles, trouble.Error())
	}
}

func (l *load) problem() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.troubles) == 0 {
		return nil
	}
	return errors.New("the run had troubles: " + strings.Join(l.troubles, "; "))
}

// connect adds users, so many at a time.
func (l *load) connect(options connectOptions) error {
	before := len(l.everybody())
	added := make([]*client, len(options.Users))
	failed := make(chan error, len(options.Users))
	seats := make(chan struct{}, options.AtOnce)
	for at, user := range options.Users {
		seats <- struct{}{}
		c := &client{
			index: uint32(before + at), userID: user.UserID, load: l, heads: map[string]uint64{}, pingedAt: time.Now(),
		}
		added[at] = c
		go func() {
			failed <- c.open(options.Address, user.Token)
			<-seats
		}()
	}
	for range options.Users {
		if err := <-failed; err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clients = append(l.clients, added...)
	return nil
}

// begin starts a run: what the clients know of sends and threads is forgotten.
func (l *load) begin(copies int, textBytes int, seat func(*client)) {
	l.run.Add(1)
	l.copies, l.text = int64(copies), strings.Repeat("x", textBytes)
	l.sent.Store(0)
	l.acceptedCount.Store(0)
	l.arrivedCount.Store(0)
	for _, c := range l.everybody() {
		c.mu.Lock()
		c.due, c.held = nil, 0
		seat(c)
		c.mu.Unlock()
	}
}

// pair makes a direct thread of each two neighbours: the first of them greets the other.
func (l *load) pair(options pairOptions) error {
	l.begin(1, options.TextBytes, func(c *client) { c.order = newOrder(0) })
	clients := l.everybody()
	for at := 0; at+1 < len(clients); at += 2 {
		l.send(clients[at], clients[at+1].userID, time.Now())
	}
	return l.settle()
}

// startWindow keeps so many sends of each client under way until stop.
func (l *load) startWindow(inFlight int) {
	l.isWindow.Store(true)
	for _, c := range l.everybody() {
		for range inFlight {
			l.send(c, "", time.Now())
		}
	}
}

// startRate posts to a group of all who are connected, by a schedule, until its end or stop.
func (l *load) startRate(options postOptions) error {
	threadID, err := hex.DecodeString(options.ThreadID)
	if err != nil {
		return err
	}
	clients := l.everybody()
	for _, c := range clients {
		if c.heads[options.ThreadID] == 0 {
			return fmt.Errorf("%s was told of no thread %s", c.userID, options.ThreadID)
		}
	}
	l.begin(len(clients)-1, options.TextBytes, func(c *client) {
		c.threadID, c.order = threadID, newOrder(c.heads[options.ThreadID])
	})
	closing := make(chan struct{})
	l.closing = closing
	go func() {
		start, between := time.Now(), time.Second/time.Duration(options.PerSecond)
		for post := range options.Count {
			due := start.Add(time.Duration(post) * between)
			select {
			case <-closing:
				return
			case <-time.After(time.Until(due)):
			}
			poster := post % options.Posters * len(clients) / options.Posters
			l.send(clients[poster], "", due)
		}
	}()
	return nil
}

func (l *load) send(c *client, toUserID string, due time.Time) {
	l.sent.Add(1)
	c.send(l.run.Load(), l.text, toUserID, due)
}

// entry judges another user's entry that came to a client.
func (l *load) entry(c *client, entry *messagev1.Entry, now time.Time) error {
	id, err := l.idOf(entry.ClientId)
	if err != nil {
		return err
	}
	clients := l.everybody()
	if int(id.sender) >= len(clients) || clients[id.sender].userID != entry.Sender {
		return fmt.Errorf("an entry of %s names client %d", entry.Sender, id.sender)
	}
	due := clients[id.sender].dueAt(id.number)
	if due.IsZero() {
		return fmt.Errorf("message %d of %s was never sent", id.number, entry.Sender)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.enter(entry.ThreadId, entry.Seq); err != nil {
		return err
	}
	if err := c.order.entry(id.sender, id.number, entry.Seq); err != nil {
		return err
	}
	l.arrivedCount.Add(1)
	c.arrived = append(c.arrived, float32(now.Sub(due).Seconds()*1_000))
	return nil
}

// accepted judges the outcome of an own send; in a window the next one follows.
func (l *load) accepted(c *client, accepted *pushv1.Accepted, now time.Time) error {
	id, err := l.idOf(accepted.ClientId)
	if err != nil {
		return err
	}
	if id.sender != c.index || accepted.Duplicate {
		return fmt.Errorf("accepted %x, which was sent by another or twice", accepted.ClientId)
	}
	due := c.dueAt(id.number)
	c.mu.Lock()
	if err = c.enter(accepted.ThreadId, accepted.Seq); err == nil {
		err = c.order.accepted(id.number, accepted.Seq)
	}
	c.accepted = append(c.accepted, float32(now.Sub(due).Seconds()*1_000))
	c.mu.Unlock()
	l.acceptedCount.Add(1)
	if l.isWindow.Load() {
		l.send(c, "", now)
	}
	return err
}

func (l *load) idOf(bytes []byte) (clientID, error) {
	id, err := clientIDOf(bytes)
	if err == nil && id.run != l.run.Load() {
		err = fmt.Errorf("%x is of another run", bytes)
	}
	return id, err
}

// enter is called with mu held: the thread must be the one that is written to, or it is learnt.
func (c *client) enter(threadID []byte, seq uint64) error {
	if c.threadID == nil {
		c.threadID = threadID
	} else if !bytes.Equal(c.threadID, threadID) {
		return fmt.Errorf("seq %d is of another thread, %x", seq, threadID)
	}
	c.held = max(c.held, seq)
	return nil
}

// done says how many entries have come to clients so far. Fails if anything went wrong.
func (l *load) done() (int64, error) {
	return l.arrivedCount.Load(), l.problem()
}

// resetLatencies forgets the latencies so far: what was warm-up.
func (l *load) resetLatencies() {
	for _, c := range l.everybody() {
		c.mu.Lock()
		c.accepted, c.arrived = nil, nil
		c.mu.Unlock()
	}
}

func (l *load) latencies() map[string]percentiles {
	var accepted, arrived []float32
	for _, c := range l.everybody() {
		c.mu.Lock()
		accepted, arrived = append(accepted, c.accepted...), append(arrived, c.arrived...)
		c.mu.Unlock()
	}
	return map[string]percentiles{"accepted": percentilesOf(accepted), "arrived": percentilesOf(arrived)}
}

type counts struct {
	Sent     int64 `json:"sent"`
	Accepted int64 `json:"accepted"`
	Arrived  int64 `json:"arrived"`
}

// stop ends the sending and returns when everything sent was accepted and has come to everybody. Fails otherwise.
func (l *load) stop() (counts, error) {
	l.isWindow.Store(false)
	if l.closing != nil {
		close(l.closing)
		l.closing = nil
	}
	err := l.settle()
	return counts{l.sent.Load(), l.acceptedCount.Load(), l.arrivedCount.Load()}, err
}

func (l *load) settle() error {
	for deadline := time.Now().Add(settleLimit); ; time.Sleep(lookEvery) {
		if err := l.problem(); err != nil {
			return err
		}
		sent, accepted, arrived := l.sent.Load(), l.acceptedCount.Load(), l.arrivedCount.Load()
		if accepted == sent && arrived == sent*l.copies && sent == l.sent.Load() {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("of %d sends %d were accepted and %d copies of %d came in %s",
				sent, accepted, arrived, sent*l.copies, settleLimit)
		}
	}
	for _, c := range l.everybody() {
		c.mu.Lock()
		err := c.order.whole()
		c.mu.Unlock()
		if err != nil {
			return fmt.Errorf("%s: %w", c.userID, err)
		}
	}
	return nil
}
