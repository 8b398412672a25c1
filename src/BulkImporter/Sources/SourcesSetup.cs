using System.Net;

namespace BulkImporter.Sources;

public static class SourcesSetup
{
    public static IServiceCollection AddSources(this IServiceCollection services)
    {
        services.AddOptions<SourceOptions>().BindConfiguration(SourceOptions.Section)
            .Validate(o => o.AllowedNetworks.All(network => IPNetwork.TryParse(network, out _)),
                "BulkImporter:Sources:AllowedNetworks takes networks such as 10.20.0.0/16 or fd00::/8, with no bit set behind the prefix.")
            .Validate(o => o.ConnectTimeout > TimeSpan.Zero && o.AnswerTimeout > TimeSpan.Zero && o.StallTimeout > TimeSpan.Zero,
                "BulkImporter:Sources: ConnectTimeout, AnswerTimeout and StallTimeout must be greater than 0.")
            .Validate(o => o.MaxRedirects >= 0, "BulkImporter:Sources:MaxRedirects must not be negative.")
            .ValidateOnStart();
        return services
            .AddSingleton<SourceNetworks>()
            .AddSingleton<ResolveName>(_ => Dns.GetHostAddressesAsync)
            .AddSingleton<ReachSource>()
            .AddSingleton<SourceHeaders>();
    }
}
