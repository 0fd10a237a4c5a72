"""Ports and what is spoken there."""

from thrift.protocol.TBinaryProtocol import TBinaryProtocolFactory
from thrift.protocol.TCompactProtocol import TCompactProtocolFactory
from thrift.protocol.THeaderProtocol import THeaderProtocolFactory
from thrift.transport import TTransport

FRAMED, BUFFERED = TTransport.TFramedTransportFactory, TTransport.TBufferedTransportFactory
KINDS = {
    9090: (BUFFERED, lambda: TBinaryProtocolFactory(strictRead=False, strictWrite=False)),
    9201: (BUFFERED, TBinaryProtocolFactory),
    9202: (FRAMED, TBinaryProtocolFactory),
    9203: (BUFFERED, TCompactProtocolFactory),
    9204: (FRAMED, TCompactProtocolFactory),
    9205: (BUFFERED, THeaderProtocolFactory),
    9206: (FRAMED, TBinaryProtocolFactory),
}
SEVERAL = 9206
