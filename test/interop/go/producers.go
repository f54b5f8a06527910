package main

import (
	"context"
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

var producers = map[string]rocketmq.Producer{}

func producerOptions(o options, group string) []producer.Option {
	made := []producer.Option{
		producer.WithNsResolver(o.nameServers()),
		producer.WithGroupName(group),
		producer.WithInstanceName(group),
		producer.WithRetry(2),
	}
	if o.text("select", "") == "true" {
		made = append(made, producer.WithQueueSelector(producer.NewHashQueueSelector()))
	}
	if o.text("trace", "") == "true" {
		made = append(made, producer.WithTrace(o.traceConfig(group)))
	}
	if key := o.text("accessKey", ""); key != "" {
		made = append(made, producer.WithCredentials(primitive.Credentials{AccessKey: key, SecretKey: o.text("secretKey", "")}))
	}
	return made
}

func producerOf(o options) (rocketmq.Producer, error) {
	group := o.text("group", "PG_go")
	if known, found := producers[group]; found {
		return known, nil
	}
	made, err := rocketmq.NewProducer(producerOptions(o, group)...)
	if err != nil {
		return nil, err
	}
	producers[group] = made
	return made, made.Start()
}

func message(o options, number int) (*primitive.Message, string) {
	key := fmt.Sprintf("%s-%d", o.text("prefix", "m"), number)
	body := []byte(key)
	if size := o.number("size", 0); size > len(body) {
		filler := []byte(strings.Repeat(".", size-len(body)))
		if o.text("random", "") == "true" {
			rand.Read(filler[1:])
		}
		body = append(body, filler...)
	}
	made := primitive.NewMessage(o.text("topic", ""), body)
	made.WithKeys([]string{key}).WithTag(o.text("tag", "TagA"))
	if level := o.number("delay", 0); level > 0 {
		made.WithDelayTimeLevel(level)
	}
	if o.text("select", "") == "true" {
		made.WithShardingKey(o.text("prefix", "m"))
	}
	if colour := o.text("colour", ""); colour != "" {
		made.WithProperty("colour", colour)
	}
	return made, key
}

var statusNames = []string{"SEND_OK", "FLUSH_DISK_TIMEOUT", "FLUSH_SLAVE_TIMEOUT", "SLAVE_NOT_AVAILABLE"}

func emitSend(key string, result *primitive.SendResult, err error) {
	sent := event{"event": "send", "key": key, "status": "EXCEPTION", "queue": "", "offset": -1, "msgId": "", "offsetMsgId": "", "error": ""}
	if err != nil {
		sent["error"] = err.Error()
	} else {
		sent["status"] = statusNames[result.Status]
		sent["queue"] = fmt.Sprintf("%s/%d", result.MessageQueue.BrokerName, result.MessageQueue.QueueId)
		sent["offset"] = result.QueueOffset
		sent["msgId"] = result.MsgID
		sent["offsetMsgId"] = result.OffsetMsgID
	}
	sent["at"] = time.Now().UnixMilli()
	emit(sent)
}

func send(o options) error {
	p, err := producerOf(o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	count := o.number("count", 1)
	if o.text("mode", "sync") == "batch" {
		var batch []*primitive.Message
		for i := 0; i < count; i++ {
			one, _ := message(o, i)
			batch = append(batch, one)
		}
		result, err := p.SendSync(ctx, batch...)
		emitSend("batch", result, err)
		return nil
	}
	var pending sync.WaitGroup
	for i := 0; i < count; i++ {
		one, key := message(o, i)
		switch o.text("mode", "sync") {
		case "async":
			pending.Add(1)
			err := p.SendAsync(ctx, func(_ context.Context, result *primitive.SendResult, err error) {
				emitSend(key, result, err)
				pending.Done()
			}, one)
			if err != nil {
				emitSend(key, nil, err)
				pending.Done()
			}
		case "oneway":
			if err := p.SendOneWay(ctx, one); err != nil {
				emitSend(key, nil, err)
			}
		default:
			result, err := p.SendSync(ctx, one)
			emitSend(key, result, err)
		}
	}
	pending.Wait()
	return nil
}

// request sends one message and waits for its reply.
func request(o options, done event) error {
	p, err := producerOf(o)
	if err != nil {
		return err
	}
	one, _ := message(o, 0)
	reply, err := p.Request(context.Background(), 10*time.Second, one)
	if err != nil {
		return err
	}
	done["reply"] = string(reply.Body)
	return nil
}

// decider answers each half message with the state its key's prefix names; `check` answers unknown first and commits when it is checked.
type decider struct{}

func (decider) ExecuteLocalTransaction(message *primitive.Message) primitive.LocalTransactionState {
	switch strings.SplitN(message.GetKeys(), "-", 2)[0] {
	case "commit":
		return primitive.CommitMessageState
	case "rollback":
		return primitive.RollbackMessageState
	}
	return primitive.UnknowState
}

func (decider) CheckLocalTransaction(message *primitive.MessageExt) primitive.LocalTransactionState {
	emit(event{"event": "check", "key": message.GetKeys()})
	return primitive.CommitMessageState
}

var transactional = map[string]rocketmq.TransactionProducer{}

func sendInTransaction(o options) error {
	group := o.text("group", "PG_go_transactions")
	p, found := transactional[group]
	if !found {
		made, err := rocketmq.NewTransactionProducer(decider{}, producerOptions(o, group)...)
		if err != nil {
			return err
		}
		if err := made.Start(); err != nil {
			return err
		}
		transactional[group] = made
		p = made
	}
	for i := 0; i < o.number("count", 1); i++ {
		one, key := message(o, i)
		result, err := p.SendMessageInTransaction(context.Background(), one)
		if err != nil {
			emitSend(key, nil, err)
		} else {
			emitSend(key, result.SendResult, nil)
		}
	}
	return nil
}
