import SandpoolCommands

await CommandLineTool.main()
