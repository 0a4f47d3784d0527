import ArgumentParser
import AsyncHTTPClient
import GRDB
import Hummingbird
