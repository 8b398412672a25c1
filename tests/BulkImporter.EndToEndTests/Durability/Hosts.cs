using System.ComponentModel;
using System.Security.Cryptography;

namespace BulkImporter.EndToEndTests.Durability;

/// <summary>
/// A machine of one worker, whose link to what all workers share can be cut: nothing arrives any more, either way, and nobody is told.
/// </summary>
internal abstract class Host : IAsyncDisposable
{
    public abstract Task<RunningProgram> HireAsync(Company company);

    public abstract Task CutAsync();

    public abstract Task MendAsync();

    public abstract ValueTask DisposeAsync();
}

/// <summary>
/// The hosts of an installation. Each is a network namespace, which loses database and simulator when it is cut off. Where nobody may make
/// one (that takes root and <c>ip</c>), it is a process with a <see cref="Wire"/> to the database, and loses that.
/// </summary>
internal sealed class Hosts : IAsyncDisposable
{
    private readonly List<Host> hosts = [];

    public Host this[int index] => hosts[index];

    /// <summary>The company that works on so many hosts.</summary>
    public async Task<Company> FoundAsync(Stage stage, int count, string behaviour, ITestOutputHelper output)
    {
        var name = $"bi{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        // Of the range for tests of networks (RFC 2544). Names and numbers are chance's: what a run that was killed left behind is in
        // nobody's way.
        var network = $"198.{RandomNumberGenerator.GetInt32(18, 20)}.{RandomNumberGenerator.GetInt32(256)}.";
        if (await NamespaceHost.WhyNotAsync(name) is { } reason)
        {
            output.WriteLine($"Hosts are processes with a wire to the database: {reason}");
            for (var i = 0; i < count; i++) hosts.Add(new WiredHost());
            return await Company.FoundAsync(stage, behaviour);
        }

        output.WriteLine($"Hosts are network namespaces at {network}0");
        var address = network + "1";
        for (var i = 0; i < count; i++)
        {
            var host = new NamespaceHost($"{name}-{i}", address, $"{network}{i + 2}");
            hosts.Add(host);
            await host.MakeAsync();
        }

        var rules = Path.Combine(stage.Folder, "pg_hba.conf");
        await File.WriteAllTextAsync(rules, $"host all all 127.0.0.1/32 trust\nhost all all {network}0/24 trust\n");
        return await Company.FoundAsync(stage, behaviour, address: address,
            postgresSettings: $"-c listen_addresses=127.0.0.1,{address} -c hba_file={rules}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in hosts) await host.DisposeAsync();
    }

    private sealed class WiredHost : Host
    {
        private Wire? wire;

        public override Task<RunningProgram> HireAsync(Company company)
        {
            wire = new Wire(company.Postgres.Port);
            return company.HireAsync([], wire.Port);
        }

        public override Task CutAsync()
        {
            wire!.Cut();
            return Task.CompletedTask;
        }

        public override Task MendAsync()
        {
            wire!.Mend();
            return Task.CompletedTask;
        }

        public override ValueTask DisposeAsync()
        {
            wire?.Dispose();
            return default;
        }
    }

    /// <param name="name">Of the namespace, and of the end of its link that is here.</param>
    /// <param name="here">The address of this end, which all links share.</param>
    /// <param name="there">The address of the other, eth0.</param>
    private sealed class NamespaceHost(string name, string here, string there) : Host
    {
        /// <summary>A frame to it is nobody's.</summary>
        private const string NobodysAddress = "02:00:00:00:00:00";

        /// <summary>Tries whether this machine lets us make a namespace with a link. Null when it does.</summary>
        public static async Task<string?> WhyNotAsync(string name)
        {
            try
            {
                await IpAsync($"netns add {name}");
                try
                {
                    await IpAsync($"link add {name} type veth peer name eth0 netns {name}");
                    await IpAsync($"link delete {name}");
                }
                finally
                {
                    await IpAsync($"netns delete {name}");
                }
                return null;
            }
            catch (Exception e) when (e is InvalidOperationException or Win32Exception)
            {
                return e.Message.TrimEnd();
            }
        }

        public async Task MakeAsync()
        {
            await IpAsync($"netns add {name}");
            await IpAsync($"link add {name} type veth peer name eth0 netns {name}");
            await IpAsync($"address add {here} peer {there} dev {name}");
            await IpAsync($"link set {name} up");
            await IpAsync($"-netns {name} address add {there} peer {here} dev eth0");
            await IpAsync($"-netns {name} link set eth0 up");
            await IpAsync($"-netns {name} link set lo up");
        }

        public override Task<RunningProgram> HireAsync(Company company) =>
            company.HireAsync(company.Postgres.ThroughPort(company.Postgres.Port, here), there, ["ip", "netns", "exec", name]);

        // Not by taking the link down: kernels see that, and tell their programs. Here each end only speaks to an address that is not the
        // other's.
        public override async Task CutAsync()
        {
            await IpAsync($"neighbour replace {there} lladdr {NobodysAddress} nud permanent dev {name}");
            await IpAsync($"-netns {name} neighbour replace {here} lladdr {NobodysAddress} nud permanent dev eth0");
        }

        public override async Task MendAsync()
        {
            await IpAsync($"neighbour delete {there} dev {name}");
            await IpAsync($"-netns {name} neighbour delete {here} dev eth0");
        }

        /// <summary>When nothing runs in it any more its link goes with it.</summary>
        public override async ValueTask DisposeAsync() => await IpAsync($"netns delete {name}");

        private static Task<string> IpAsync(string line) => RunningProgram.CompleteAsync("ip", line.Split(' '));
    }
}
