using Ome.Agent.Verification;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain;
using Spectre.Console;

namespace Ome.Agent.Cli;

/// <summary>Shows how far a check is: a bar with rate and time left on a terminal, a line every ten seconds elsewhere.</summary>
internal sealed class ProgressReport(CliConsole console, ReadEngine engine, TimeProvider time)
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);

    private volatile CheckProgress? _latest;

    /// <summary>Runs the work while showing its progress.</summary>
    public async Task<T> RunAsync<T>(string title, Func<Action<CheckProgress>, Task<T>> work)
    {
        if (console.ErrorIsTerminal) return await RunWithBarAsync(title, work);
        var started = time.GetTimestamp();
        using var timer = time.CreateTimer(_ => WriteLine(title, time.GetElapsedTime(started)), null, LineInterval, LineInterval);
        return await work(progress => _latest = progress);
    }

    private async Task<T> RunWithBarAsync<T>(string title, Func<Action<CheckProgress>, Task<T>> work)
    {
        var bar = console.Status().Progress().AutoClear(true).Columns(
            new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn());
        return await bar.StartAsync(async context =>
        {
            var task = context.AddTask(Markup.Escape(title), maxValue: 1);
            task.IsIndeterminate = true;
            return await work(progress =>
            {
                if (progress.BytesPlanned == 0) return;
                task.IsIndeterminate = false;
                task.MaxValue = progress.BytesPlanned;
                task.Value = Math.Min(progress.BytesDone, progress.BytesPlanned);
                if (progress.Findings > 0) task.Description = $"{Markup.Escape(title)} [red]{progress.Findings} found[/]";
            });
        });
    }

    private void WriteLine(string title, TimeSpan elapsed)
    {
        if (_latest is not { } now) return;
        var rate = (long)(engine.BytesRead / Math.Max(elapsed.TotalSeconds, 0.001));
        var left = rate > 0 ? TimeSpan.FromSeconds((now.BytesPlanned - now.BytesDone) / rate) : TimeSpan.Zero;
        console.Error.WriteLine(
            $"{title}: {now.FilesDone} of {now.FilesTotal} files, {ByteText.Format(now.BytesDone)} of {ByteText.Format(now.BytesPlanned)}, {ByteText.Format(rate)}/s, {DurationText.Format(TimeSpan.FromSeconds(Math.Ceiling(left.TotalSeconds)))} left, {now.Findings} found");
    }
}
