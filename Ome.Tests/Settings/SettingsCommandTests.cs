using System.CommandLine;
using Ome.Shared.Settings;

namespace Ome.Tests.Settings;

public sealed class SettingsCommandTests
{
    [Test]
    public void A_flag_wins_over_the_environment_and_the_environment_over_the_default()
    {
        var (settings, problems) = Read(["--interval", "5m"], new() { ["SAMPLE_INTERVAL"] = "7m", ["SAMPLE_BUDGET"] = "64MiB" });

        problems.Should().BeEmpty();
        (settings.Interval, settings.Budget, settings.Mode).Should().Be((TimeSpan.FromMinutes(5), 64L << 20, SampleMode.Basic));
    }

    [Test]
    public void A_switch_needs_no_value() => Read(["--watch"], []).Settings.Watch.Should().BeTrue();

    [TestCase("--interval 5", "--interval is '5': it must be a duration such as 30s, 10m, 1h30m or 7d")]
    [TestCase("--interval 1ms", "--interval is '1ms': it must be from 1s to 1d")]
    [TestCase("--mode Sometimes", "--mode is 'Sometimes': it must be one of Basic, Deep")]
    [TestCase("--port 70000", "--port is '70000': it must be from 1 to 65535")]
    public void A_wrong_value_names_the_flag_the_value_and_what_is_allowed(string arguments, string problem) =>
        Read(arguments.Split(' '), []).Problems.Should().Equal(problem);

    [Test]
    public void A_wrong_variable_is_named_as_the_variable() =>
        Read([], new() { ["SAMPLE_INTERVAL"] = "soon" }).Problems.Should().ContainSingle().Which.Should().StartWith("SAMPLE_INTERVAL is 'soon'");

    [Test]
    public void A_secret_is_never_repeated() =>
        Read([], new() { ["SAMPLE_BUDGET"] = "x" }).Problems.Should().ContainSingle();

    private static (Sample Settings, IReadOnlyList<string> Problems) Read(string[] arguments, Dictionary<string, string> environment)
    {
        var command = new RootCommand();
        var settings = new SettingsCommand<Sample>(command, name => environment.GetValueOrDefault(name));
        return settings.Read(command.Parse(arguments));
    }

    private enum SampleMode
    {
        Basic,
        Deep,
    }

    private sealed class Sample
    {
        [Flag("interval", "time between runs", Environment = "SAMPLE_INTERVAL")]
        [DurationRange("1s", "1d")]
        public TimeSpan Interval { get; set; } = TimeSpan.FromMinutes(10);

        [Flag("budget", "bytes per second", Environment = "SAMPLE_BUDGET", IsBytes = true)]
        public long Budget { get; set; }

        [Flag("mode", "what to do")]
        public SampleMode Mode { get; set; }

        [Flag("port", "where to listen")]
        [System.ComponentModel.DataAnnotations.Range(1, 65535)]
        public int Port { get; set; } = 8080;

        [Flag("watch", "whether to watch")]
        public bool Watch { get; set; }
    }
}
