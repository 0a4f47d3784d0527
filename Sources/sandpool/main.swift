import SandpoolCommands

await CommandLineTool.main(CommandLineTool.begin())
