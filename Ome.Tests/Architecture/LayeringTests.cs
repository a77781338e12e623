using System.Reflection;
using NetArchTest.Rules;
using Ome.Shared.Domain;

namespace Ome.Tests.Architecture;

/// <summary>The rules of direction: who may know whom.</summary>
public sealed class LayeringTests
{
    private static readonly Assembly Shared = typeof(OmeNames).Assembly;

    /// <summary>What the pure core never touches. Streams that hold memory or come in as arguments are not I/O.</summary>
    private static readonly string[] Impure =
    [
        "k8s", "KubeOps", "Microsoft.Extensions", "Microsoft.AspNetCore", "Microsoft.Win32", "YamlDotNet", "Prometheus",
        "System.IO.File", "System.IO.FileInfo", "System.IO.FileStream", "System.IO.Directory", "System.IO.DirectoryInfo", "System.IO.FileSystemInfo",
        "System.IO.StreamReader", "System.IO.StreamWriter", "System.Net", "System.Diagnostics.Process", "System.Diagnostics.Stopwatch",
        "System.TimeProvider", "System.Random", "System.Security.Cryptography.RandomNumberGenerator", "System.Console",
        "System.Threading.Timer", "System.Threading.Thread",
    ];

    [Test]
    public void Domain_knows_no_cluster_no_disk_no_network_no_clock_no_chance_no_log()
    {
        var types = Types.InAssembly(Shared).That().ResideInNamespaceStartingWith("Ome.Shared.Domain");
        types.GetTypes().Should().HaveCountGreaterThan(20, "a rule over nothing holds nothing");

        Offenders(types.Should().NotHaveDependencyOnAny(Impure).GetResult()).Should().BeEmpty();
    }

    [Test]
    public void Domain_asks_no_clock_and_no_environment()
    {
        // A call of a static property is no dependency on a type of its own: look for it in the bodies.
        var forbidden = new[] { "get_UtcNow", "get_Now", "get_Today", "NewGuid", "get_Shared", "get_TickCount", "get_TickCount64", "GetEnvironmentVariable", "GetEnvironmentVariables" };

        CalledMembers.Of(Shared.Location, "Ome.Shared.Domain").Where(call => forbidden.Contains(call.Member, StringComparer.Ordinal))
            .Select(static call => $"{call.Caller} calls {call.Type}.{call.Member}")
            .Where(static text => !text.Contains("ArrayPool", StringComparison.Ordinal))
            .Should().BeEmpty();
    }

    [Test]
    public void Domain_knows_nothing_of_the_rest_of_shared() => Offenders(
        Types.InAssembly(Shared).That().ResideInNamespaceStartingWith("Ome.Shared.Domain")
            .Should().NotHaveDependencyOnAny("Ome.Shared.Api", "Ome.Shared.Kube", "Ome.Shared.Loop").GetResult()).Should().BeEmpty();

    [TestCase("ome-agent", "Ome.Operator")]
    [TestCase("ome-operator", "Ome.Agent")]
    [TestCase("Ome.Shared", "Ome.Agent")]
    [TestCase("Ome.Shared", "Ome.Operator")]
    public void Agent_and_operator_never_see_each_other(string assembly, string other) =>
        Offenders(Types.InAssembly(Assembly.Load(assembly)).Should().NotHaveDependencyOn(other).GetResult()).Should().BeEmpty();

    [TestCase("ome-agent")]
    [TestCase("ome-operator")]
    [TestCase("Ome.Shared")]
    public void Nothing_shipped_knows_the_development_control_plane(string assembly) =>
        Offenders(Types.InAssembly(Assembly.Load(assembly)).Should().NotHaveDependencyOn("Ome.LocalCluster").GetResult()).Should().BeEmpty();

    [TestCase("Staging", "Verification", "Publishing")]
    [TestCase("Verification", "Staging", "Publishing")]
    [TestCase("Publishing", "Staging", "Verification")]
    public void Stages_of_the_agent_do_not_call_each_other(string stage, string one, string other) => Offenders(
        Types.InAssembly(Assembly.Load("ome-agent")).That().ResideInNamespaceStartingWith("Ome.Agent." + stage)
            .Should().NotHaveDependencyOnAny("Ome.Agent." + one, "Ome.Agent." + other).GetResult()).Should().BeEmpty();

    private static IEnumerable<string> Offenders(TestResult result) => result.FailingTypeNames ?? [];
}
