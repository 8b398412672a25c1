namespace BulkImporter.Dashboard;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Warning, EventName = "ImportsNotRead", Message = "The imports could not be read for the open pages, which show older numbers and say so")]
    public static partial void ImportsNotRead(ILogger log, Exception exception);
}
