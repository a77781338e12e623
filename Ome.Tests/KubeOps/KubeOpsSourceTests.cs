using System.Diagnostics;
using Ome.Shared;
using Ome.Tests.Architecture;
using Ome.Tests.Support;

namespace Ome.Tests.KubeOpsApi;

public sealed class KubeOpsSourceTests
{
    private const int Limit = 120_000;

    [TestCase("auto")]
    [TestCase("package")]
    [TestCase("local")]
    [CancelAfter(Limit)]
    public async Task An_allowed_value_is_taken(string value, CancellationToken cancellationToken)
    {
        var (code, output) = await MsbuildAsync($"-p:KubeOpsSource={value} -t:CheckKubeOpsSource", cancellationToken);

        code.Should().Be(0, output);
    }

    [Test, CancelAfter(Limit)]
    public async Task Another_value_stops_the_build_with_name_value_and_what_is_allowed(CancellationToken cancellationToken)
    {
        var (code, output) = await MsbuildAsync("-p:KubeOpsSource=nuget -t:CheckKubeOpsSource", cancellationToken);

        code.Should().NotBe(0);
        output.Should().Contain("KubeOpsSource is 'nuget'; it must be 'auto', 'package' or 'local'");
    }

    [Test, CancelAfter(Limit)]
    public async Task Auto_takes_the_packages_only_where_their_version_lies_in_the_package_folder(CancellationToken cancellationToken)
    {
        using var folder = new TempDirectory();
        var arguments = $"-p:KubeOpsSource=auto -p:RestorePackagesPath={folder.Path} -getProperty:OmeKubeOps";

        Add("kubeops.operator", "0.0.1");
        (await MsbuildAsync(arguments, cancellationToken)).Output.Trim().Should().Be("local", "another version is there");
        var version = BuildInfo.Current.KubeOpsVersion;
        Add("kubeops.operator", version);
        Add("kubeops.transpiler", version);
        (await MsbuildAsync(arguments, cancellationToken)).Output.Trim().Should().Be("local", "one of the three is missing");
        Add("kubeops.generator", version);
        (await MsbuildAsync(arguments, cancellationToken)).Output.Trim().Should().Be("package");

        void Add(string package, string itsVersion) => Directory.CreateDirectory(Path.Combine(folder.Path, package, itsVersion));
    }

    private static async Task<(int Code, string Output)> MsbuildAsync(string arguments, CancellationToken cancellationToken)
    {
        var project = Path.Combine(RepositoryTests.RepositoryRoot(), "Ome.KubeOps", "Ome.KubeOps.csproj");
        var start = new ProcessStartInfo("dotnet", $"msbuild \"{project}\" -nologo -v:q -nodeReuse:false {arguments}")
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, output);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }
}
