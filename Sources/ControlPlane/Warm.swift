import CCurl
import HTTPTypes
import Hummingbird
import JWTKit
import Logging
import NIOPosix
import ServiceLifecycle
import Yams
